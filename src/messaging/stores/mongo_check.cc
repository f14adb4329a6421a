#include "messaging/stores/mongo_check.h"

#include <map>

#include "drivers/mongo/transaction.h"
#include "events/mongo_events.h"
#include "messaging/event_data.h"
#include "messaging/stores/mongo_documents.h"

namespace parley::messaging {

namespace {

using mongo::Database;
using mongo::Document;
using mongo::make_document;
using mongo::Transaction;
using mongo::Uuid;
using mongo::View;
using mongodb::ConversationKey;

constexpr std::int64_t kEventsAtOnce = 2'000;
constexpr std::int64_t kConversationsAtOnce = 500;

Document present() {
  return make_document("$exists", true);
}
Document absent() {
  return make_document("$exists", false);
}

// What the log says of a conversation.
struct Told {
  std::int64_t first = 0;  // event number; more than 1 where the beginning was pruned
  std::int64_t last = 0;
  std::int64_t messages = 0;  // message.created
};

// What its document says.
struct Kept {
  std::string tenant;
  std::string id;
  std::int64_t last_seq = 0;
  std::int64_t event_number = 0;
};

class Checker {
 public:
  explicit Checker(mongo::ClientPool& pool) : pool_(pool), lease_(pool.borrow(deadline())) {}

  MongoCheckReport run() {
    // What is committed while the conversations are looked at is in what the log says afterwards.
    read_log(false);
    check_conversations();
    read_log(true);
    for (const Kept& kept : kept_) compare(kept);
    return std::move(report_);
  }

 private:
  SteadyTime deadline() const { return pool_.clock().steady_now() + pool_.timeout(); }
  Database database() const { return lease_.database(deadline()); }
  void found(const std::string& what, const std::string& tenant, const std::string& conversation,
             const std::string& more = {}) {
    report_.problems.push_back(what + ": tenant " + tenant + ", conversation " + conversation + more);
  }
  void read_log(bool past_open_numbers);
  void take_event(View event);
  void check_conversations();
  void check_conversation(const ConversationKey& key);
  void check_messages(Transaction& snapshot, const ConversationKey& key, const Kept& kept, std::int64_t live);
  void check_members(Transaction& snapshot, const ConversationKey& key, View conversation, const Kept& kept);
  void compare(const Kept& kept);

  mongo::ClientPool& pool_;
  mongo::ClientPool::Lease lease_;
  const events::MongoEventCollections collections_{""};
  MongoCheckReport report_;
  std::int64_t read_through_ = -1;  // of the log; -1: nothing yet
  bool whole_log_ = false;          // nothing was pruned
  std::map<std::pair<std::string, std::string>, Told> told_;
  std::vector<Kept> kept_;
};

// Up to the first number that is open, or past it: what has it may be committed at any moment.
void Checker::read_log(bool past_open_numbers) {
  if (read_through_ < 0) {
    const auto pruned = database().find_one(collections_.log.c_str(), make_document("_id", "pruned"));
    read_through_ = pruned ? pruned->view().integer("through") : 0;
    whole_log_ = read_through_ == 0;
  }
  for (bool more = true; more;) {
    const auto events =
        database().find(collections_.events.c_str(), make_document("_id", make_document("$gt", read_through_)),
                        {.sort = make_document("_id", 1),
                         .fields = make_document("void", 1, "scope", 1, "tenant", 1, "key", 1, "number", 1, "type", 1),
                         .limit = kEventsAtOnce});
    more = events.size() == static_cast<std::size_t>(kEventsAtOnce);
    for (const Document& event : events) {
      const std::int64_t open = event.view().integer("_id") - read_through_ - 1;
      if (open > 0 && !past_open_numbers) return;
      report_.open_numbers += open;
      read_through_ = event.view().integer("_id");
      if (!event.view().has("void")) take_event(event.view());
    }
  }
}

void Checker::take_event(View event) {
  ++report_.events;
  if (event.integer("scope") != static_cast<int>(events::EventScope::kConversation)) return;
  const std::string tenant(event.text("tenant"));
  const std::string id(event.text("key"));
  Told& told = told_[{tenant, id}];
  const std::int64_t number = event.integer("number");
  if (told.first == 0) {
    told.first = number;
  } else if (number != told.last + 1 && report_.open_numbers == 0) {
    found("event numbers are not dense", tenant, id,
          ", " + std::to_string(number) + " after " + std::to_string(told.last));
  }
  told.last = number;
  if (event.text("type") == kMessageCreated) ++told.messages;
}

void Checker::check_conversations() {
  Document after = make_document("_id", present());
  for (bool more = true; more;) {
    const auto page = database().find(
        mongodb::collection::kConversations, after,
        {.sort = make_document("_id", 1), .fields = make_document("_id", 1), .limit = kConversationsAtOnce});
    more = page.size() == static_cast<std::size_t>(kConversationsAtOnce);
    for (const Document& each : page) check_conversation(mongodb::uuid_of(each.view().bytes("_id")));
    if (more) {
      const ConversationKey last = mongodb::uuid_of(page.back().view().bytes("_id"));
      after = make_document("_id", make_document("$gt", Uuid{last}));
    }
  }
}

void Checker::check_conversation(const ConversationKey& key) {
  Transaction snapshot(pool_, lease_, deadline());
  const auto document = snapshot.find_one(mongodb::collection::kConversations, make_document("_id", Uuid{key}));
  // What a deleted one said is erased piece by piece.
  if (!document || document->view().has("deleted_at")) return;
  const View view = document->view();
  Kept kept{std::string(view.text("tenant")), std::string(view.text("id")), view.integer("last_seq"),
            view.integer("event_number")};
  check_messages(snapshot, key, kept, view.integer("live"));
  check_members(snapshot, key, view, kept);
  ++report_.conversations;
  report_.messages += kept.last_seq;
  kept_.push_back(std::move(kept));
}

// No two messages have one seq, for which there is an index: so that many up to the last one are all of them.
void Checker::check_messages(Transaction& snapshot, const ConversationKey& key, const Kept& kept, std::int64_t live) {
  const char* const messages = mongodb::collection::kMessages;
  const Document all = make_document("conversation", Uuid{key});
  const auto with = [&all](const char* field, const Document& condition) {
    Document filter = all;
    filter.add(field, condition);
    return filter;
  };
  const std::int64_t count = snapshot.count(messages, all);
  const std::int64_t in_range = snapshot.count(messages, with("seq", make_document("$gte", 1, "$lte", kept.last_seq)));
  if (count != kept.last_seq || in_range != count) {
    found("seqs are not dense, or miscounted", kept.tenant, kept.id,
          ", last " + std::to_string(kept.last_seq) + ", messages " + std::to_string(count));
  }
  const std::int64_t tombstones = snapshot.count(messages, with("deleted_at", present()));
  if (count - tombstones != live) {
    found("live messages are miscounted", kept.tenant, kept.id,
          ", counted " + std::to_string(live) + ", are " + std::to_string(count - tombstones));
  }
  Document speaking = with("deleted_at", present());
  speaking.add("content", present());
  if (snapshot.count(messages, speaking) > 0) found("a deleted message still says something", kept.tenant, kept.id);
  Document silent = with("deleted_at", absent());
  silent.add("content", absent());
  if (snapshot.count(messages, silent) > 0) {
    found("a message says nothing and is not deleted", kept.tenant, kept.id);
  }
}

void Checker::check_members(Transaction& snapshot, const ConversationKey& key, View conversation, const Kept& kept) {
  std::int64_t members = 0;
  std::int64_t owners = 0;
  bool of_another_tenant = false;
  const auto rows = snapshot.find(mongodb::collection::kMembers, make_document("conversation", Uuid{key}),
                                  {.sort = {}, .fields = make_document("tenant", 1, "role", 1)});
  for (const Document& member : rows) {
    ++members;
    if (member.view().text("role") == "owner") ++owners;
    of_another_tenant |= member.view().text("tenant") != kept.tenant;
  }
  if (of_another_tenant) found("a member of another tenant", kept.tenant, kept.id);
  if (conversation.integer("member_count") != members || conversation.integer("owner_count") != owners) {
    found("members are miscounted", kept.tenant, kept.id,
          ", are " + std::to_string(members) + " and " + std::to_string(owners) + " owners");
  }
}

void Checker::compare(const Kept& kept) {
  const auto told = told_.find({kept.tenant, kept.id});
  if (told == told_.end()) {
    if (whole_log_) found("a conversation without events", kept.tenant, kept.id);
    return;
  }
  const Told& events = told->second;
  if (events.last < kept.event_number) {
    found("the last event is missing", kept.tenant, kept.id, ", counted " + std::to_string(kept.event_number));
  }
  // Where nothing was pruned, and nothing has come since.
  const bool all = events.first == 1 && events.last == kept.event_number && report_.open_numbers == 0;
  if (all && events.messages != kept.last_seq) {
    found("messages and their message.created events differ in number", kept.tenant, kept.id,
          ", " + std::to_string(kept.last_seq) + " messages, " + std::to_string(events.messages) + " events");
  }
}

}  // namespace

Result<MongoCheckReport> check_messaging_in_mongodb(mongo::ClientPool& pool) {
  if (auto well = pool.check_server(); !well) return fail(std::move(well.error()));
  try {
    return Checker(pool).run();
  } catch (const mongo::Failure& failure) {
    return fail(mongo::to_operator_error(failure));
  }
}

}  // namespace parley::messaging
