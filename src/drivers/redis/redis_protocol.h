// RESP2, the protocol of Redis: commands as bytes, and a RedisReplyReader that makes replies of what comes, over
// hiredis' parser. Pure: no socket, no wait. A reader belongs to one connection, one thread at a time; it bounds what a
// reply may take, and once it met what is no reply it says so for ever.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace parley::redis {

struct RedisReply {
  enum class Kind : std::uint8_t { kNil, kText, kNumber, kArray, kError };
  Kind kind = Kind::kNil;
  std::string text;  // of kText and kError
  std::int64_t number = 0;
  std::vector<RedisReply> items;

  // The first word of an error, which is all of it that may be logged: the rest may repeat what was sent.
  std::string_view error_code() const;
};

using RedisCommand = std::vector<std::string>;
void append_command(std::string& out, const RedisCommand& command);

class RedisReplyReader {
 public:
  static constexpr std::size_t kMostItems = 65'536;

  explicit RedisReplyReader(std::size_t most_bytes);
  ~RedisReplyReader();

  // What came, in any pieces. False: it goes beyond the bounds.
  bool feed(std::string_view bytes);
  enum class Next : std::uint8_t { kReply, kMore, kBroken };
  // kMore: the rest is still to come.
  Next next(RedisReply& into);

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  const std::size_t most_bytes_;
  std::size_t unread_ = 0;  // bytes since the last whole reply, or more
  std::size_t items_ = 0;   // of the reply that is under way
  bool broken_ = false;
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace parley::redis
