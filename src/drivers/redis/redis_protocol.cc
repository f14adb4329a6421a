#include "drivers/redis/redis_protocol.h"

#include <hiredis/read.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

namespace parley::redis {

namespace {

// The place for the value that hiredis has read: in its array, or one of its own.
RedisReply* place_of(const redisReadTask* task) {
  if (task->parent == nullptr) return new (std::nothrow) RedisReply;
  return &static_cast<RedisReply*>(task->parent->obj)->items[static_cast<std::size_t>(task->idx)];
}

void* create_text(const redisReadTask* task, char* text, std::size_t size) {
  RedisReply* const reply = place_of(task);
  if (reply == nullptr) return nullptr;
  reply->kind = task->type == REDIS_REPLY_ERROR ? RedisReply::Kind::kError : RedisReply::Kind::kText;
  reply->text.assign(text, size);
  return reply;
}

void* create_array(const redisReadTask* task, int size) {
  auto& items = *static_cast<std::size_t*>(task->privdata);
  if (size < 0 || static_cast<std::size_t>(size) > RedisReplyReader::kMostItems - items) return nullptr;
  RedisReply* const reply = place_of(task);
  if (reply == nullptr) return nullptr;
  items += static_cast<std::size_t>(size);
  reply->kind = RedisReply::Kind::kArray;
  reply->items.resize(static_cast<std::size_t>(size));
  return reply;
}

void* create_number(const redisReadTask* task, long long number) {
  RedisReply* const reply = place_of(task);
  if (reply == nullptr) return nullptr;
  reply->kind = RedisReply::Kind::kNumber;
  reply->number = number;
  return reply;
}

void* create_nil(const redisReadTask* task) {
  return place_of(task);
}

void free_reply(void* reply) {
  delete static_cast<RedisReply*>(reply);
}

redisReplyObjectFunctions kFunctions = {create_text, create_array, create_number, create_nil, free_reply};

void append_number(std::string& out, char kind, std::size_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(1, kind).append(digits, end).append("\r\n");
}

}  // namespace

std::string_view RedisReply::error_code() const {
  return std::string_view(text).substr(0, std::min(text.find(' '), text.size()));
}

void append_command(std::string& out, const RedisCommand& command) {
  append_number(out, '*', command.size());
  for (const std::string& word : command) {
    append_number(out, '$', word.size());
    out.append(word).append("\r\n");
  }
}

void RedisReplyReader::Free::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

RedisReplyReader::RedisReplyReader(std::size_t most_bytes)
    : most_bytes_(most_bytes), reader_(redisReaderCreateWithFunctions(&kFunctions)) {
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = &items_;
}

RedisReplyReader::~RedisReplyReader() = default;

bool RedisReplyReader::feed(std::string_view bytes) {
  unread_ += bytes.size();
  if (unread_ > most_bytes_ || redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) broken_ = true;
  return !broken_;
}

RedisReplyReader::Next RedisReplyReader::next(RedisReply& into) {
  if (broken_) return Next::kBroken;
  void* made = nullptr;
  if (redisReaderGetReply(reader_.get(), &made) != REDIS_OK) {
    broken_ = true;
    return Next::kBroken;
  }
  if (made == nullptr) return Next::kMore;
  const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(made));
  into = std::move(*reply);
  items_ = 0;
  unread_ = reader_->len - reader_->pos;
  return Next::kReply;
}

}  // namespace parley::redis
