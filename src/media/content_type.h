// What an uploaded file is: told by its first bytes with libmagic, for clients are not believed. And what of that a
// browser may show in our name.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/blocking.h"
#include "base/result.h"
#include "base/task.h"

namespace parley::media {

inline constexpr std::string_view kUnknownType = "application/octet-stream";

// Made and owned by app/; called on any loop. libmagic takes up to milliseconds, so it has a thread of its own.
class ContentTypeSniffer {
 public:
  // So many bytes from the start of a file are enough.
  static constexpr std::size_t kSniffedBytes = 64 * 1024;

  // fail: unavailable magic_unusable, when the system lacks libmagic's table of types.
  static Result<std::unique_ptr<ContentTypeSniffer>> open();
  ~ContentTypeSniffer();

  // "image/png", without parameters; kUnknownType when it cannot be told. What is kept for good is not guessed for want
  // of time: unavailable overloaded, deadline_exceeded.
  Task<Result<std::string>> sniff(std::string first_bytes, SteadyTime deadline);

 private:
  class Magic;
  explicit ContentTypeSniffer(std::unique_ptr<Magic> magic);

  const std::unique_ptr<Magic> magic_;  // used by the pool's thread alone
  BlockingPool pool_;
};

// The type to keep: the sniffed one, but where that is plain text and the client names a kind of text that no browser
// runs, the client's. Without parameters, lower-case.
std::string content_type_of(std::string_view sniffed, std::string_view declared);

// Whether a browser that shows content of this type as part of our site runs nothing that it says: raster images,
// sound, film and plain text. Everything else (HTML, SVG, XML, scripts, PDF…) is to be saved, not shown.
bool is_safe_inline(std::string_view content_type);

}  // namespace parley::media
