// MultipartReader: a multipart/form-data body (RFC 7578), part by part, each read in pieces as it comes: no part is
// ever held whole, so backpressure and limits are the reader's as with any Body. Owned by the request that reads it, on
// its loop; the body must outlive it. Errors: kInvalid `invalid_multipart` for broken framing (a missing last boundary
// too), kTooLarge `payload_too_large` beyond a limit, and the body's own. After an error nothing can be read.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace parley::http {

struct MultipartLimits {
  std::size_t parts = 100;
  std::size_t head_bytes = 8 * 1024;          // header fields of one part
  std::uint64_t skipped_bytes = 1024 * 1024;  // unread by whoever asked for the next part, and before the first, in all
};

// The boundary that a request's Content-Type names. kUnsupportedMediaType when it is not multipart/form-data, kInvalid
// invalid_multipart without a boundary of 1 to 70 allowed characters.
Result<std::string> multipart_boundary(std::string_view content_type);

class MultipartReader {
 public:
  struct Part {
    std::string name;                     // of the form's field
    std::optional<std::string> filename;  // of a file, as sent; empty where a browser's user chose none
    std::string content_type;             // empty: not said
    Fields fields;                        // all of them; valid until the next part
  };

  MultipartReader(Body& body, std::string_view boundary, MultipartLimits limits = {});

  // Goes to the next part, over what is unread of this one. False after the last.
  Task<Result<bool>> next();
  // The part that next() came to.
  const Part& part() const { return part_; }
  // Its content: of unknown size, read() empty at its end. The same object for every part.
  Body& content() { return content_; }

 private:
  class Content final : public Body {
   public:
    explicit Content(MultipartReader& reader) : reader_(reader) {}
    Task<Result<std::string_view>> read() override;
    std::optional<std::uint64_t> size() const override { return std::nullopt; }
    SteadyTime::duration waited() const override { return reader_.body_.waited(); }

   private:
    MultipartReader& reader_;
  };

  enum class Place : std::uint8_t {
    kContent,    // of a part, or what stands before the first
    kDelimiter,  // behind one: what follows is a head or the end
    kEnd,
    kFailed,
  };

  // More of the body into rest_. Its end is an error: here it is always too early.
  Task<Result<>> fetch();
  // The next piece of content; empty when a delimiter has come.
  Task<Result<std::string_view>> read_content();
  // What of rest_ is content for sure. Takes that off, and the delimiter if it comes next.
  std::string_view take_content();
  // What follows a delimiter: false when that was the last.
  Task<Result<bool>> read_head();
  Result<> parse_head();
  Result<> parse_line(std::string_view line);
  std::unexpected<Error> broken(std::string detail);
  std::unexpected<Error> too_large(std::string detail);

  Body& body_;
  const std::string delimiter_;  // CRLF "--" boundary
  const MultipartLimits limits_;
  Content content_{*this};
  Place place_ = Place::kContent;
  std::string_view rest_;    // of the body's last piece, not yet looked at
  std::size_t matched_ = 2;  // bytes of the delimiter that came at the end of the piece before: a body begins as if
                             // behind a CRLF
  std::size_t parts_ = 0;
  std::uint64_t skipped_ = 0;
  std::string head_;  // of the part, from behind the delimiter on
  Part part_;
};

}  // namespace parley::http
