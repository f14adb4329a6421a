#include "search/tenant_reader.h"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "base/json_writer.h"

namespace parley::search {

namespace {

constexpr std::size_t kConversationsAtOnce = 100;
constexpr std::string_view kStages[] = {"users", "conversations", "end"};

StoreScan::After text_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

}  // namespace

TenantReader::TenantReader(StoreScan& store, TenantId tenant, std::string_view cursor, std::size_t step_size)
    : store_(store), tenant_(std::move(tenant)), step_size_(step_size), place_(parse(cursor)) {}

TenantReader::Place TenantReader::parse(std::string_view cursor) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(cursor, error);
  if (error || !value.is_object()) return {};
  const boost::json::object& object = value.get_object();
  const auto stage = std::ranges::find(kStages, text_of(object, "stage").value_or(""));
  if (stage == std::end(kStages)) return {};
  return {.stage = static_cast<Stage>(stage - std::begin(kStages)),
          .after = text_of(object, "after"),
          .within = text_of(object, "within"),
          .messages = text_of(object, "messages")};
}

std::string TenantReader::cursor() const {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("stage").string(kStages[static_cast<std::size_t>(place_.stage)]);
  json.key("after").string(place_.after);
  json.key("within").string(place_.within);
  json.key("messages").string(place_.messages);
  json.end_object();
  return text;
}

Task<Result<RebuildStep>> TenantReader::next(SteadyTime deadline) {
  RebuildStep step;
  Result<> read;
  if (place_.stage == Stage::kUsers) {
    read = co_await read_users(step, deadline);
  } else if (place_.stage == Stage::kConversations) {
    read = co_await read_conversations(step, deadline);
  }
  if (!read) co_return std::unexpected(std::move(read.error()));
  step.cursor = cursor();
  co_return step;
}

Task<Result<>> TenantReader::read_users(RebuildStep& step, SteadyTime deadline) {
  auto page = co_await store_.users(tenant_, place_.after, step_size_, deadline);
  if (!page) co_return std::unexpected(std::move(page.error()));
  for (UserWritten& user : page->items) {
    step.changes.push_back({.tenant = tenant_, .conversation = {}, .number = 0, .what = std::move(user)});
    ++step.users;
  }
  place_.after = std::move(page->next);
  if (!place_.after) place_.stage = Stage::kConversations;
  co_return Result<>{};
}

Task<Result<>> TenantReader::read_conversations(RebuildStep& step, SteadyTime deadline) {
  while (step.changes.size() < step_size_) {
    if (conversations_.empty()) {
      if (no_more_conversations_) {
        place_ = {.stage = Stage::kEnd, .after = {}, .within = {}, .messages = {}};
        break;
      }
      auto fetched = co_await fetch_conversations(deadline);
      if (!fetched) co_return fetched;
      continue;
    }
    ScannedConversation& conversation = conversations_.front();
    if (place_.within != conversation.id.value) {
      place_.within = conversation.id.value;
      place_.messages.reset();
      step.changes.push_back(
          {.tenant = tenant_, .conversation = conversation.id, .number = 0, .what = std::move(conversation.entry)});
      ++step.conversations;
      continue;  // the step may be full
    }
    const ConversationId id = conversation.id;
    auto read = co_await read_messages(id, step, deadline);
    if (!read) co_return read;
  }
  co_return Result<>{};
}

Task<Result<>> TenantReader::read_messages(const ConversationId& conversation, RebuildStep& step, SteadyTime deadline) {
  auto page =
      co_await store_.messages(tenant_, conversation, place_.messages, step_size_ - step.changes.size(), deadline);
  if (!page && page.error().kind == ErrorKind::kNotFound) {  // deleted since it was listed
    end_conversation();
    co_return Result<>{};
  }
  if (!page) co_return std::unexpected(std::move(page.error()));
  for (ScannedMessage& message : page->items) {
    step.messages += std::holds_alternative<MessageWritten>(message.what);
    IndexChange& change = step.changes.emplace_back();
    change.tenant = tenant_;
    change.conversation = conversation;
    std::visit([&change](auto& what) { change.what = std::move(what); }, message.what);
  }
  if (page->next) {
    place_.messages = std::move(page->next);
  } else {
    end_conversation();
  }
  co_return Result<>{};
}

Task<Result<>> TenantReader::fetch_conversations(SteadyTime deadline) {
  const StoreScan::After after = listed_ ? listed_ : place_.after;
  auto page = co_await store_.conversations(tenant_, after, kConversationsAtOnce, deadline);
  if (!page) co_return std::unexpected(std::move(page.error()));
  listed_ = std::move(page->next);
  no_more_conversations_ = !listed_;
  std::ranges::move(page->items, std::back_inserter(conversations_));
  co_return Result<>{};
}

void TenantReader::end_conversation() {
  place_.after = conversations_.front().id.value;
  place_.within.reset();
  place_.messages.reset();
  conversations_.pop_front();
}

Task<Result<std::int64_t>> messages_ever(StoreScan& store, TenantId tenant, SteadyTime deadline) {
  std::int64_t total = 0;
  StoreScan::After after;
  do {
    auto page = co_await store.conversations(tenant, after, kConversationsAtOnce, deadline);
    if (!page) co_return std::unexpected(std::move(page.error()));
    for (const ScannedConversation& conversation : page->items) total += conversation.last_seq;
    after = std::move(page->next);
  } while (after);
  co_return total;
}

}  // namespace parley::search
