// Events in MongoDB: the collections of one log, and how a write's transaction appends to it (ADR 24). Each event is a
// document whose _id is its number in the log: dense from 1. A group of writes takes its numbers as the last thing
// before its commit, outside of its transaction, so that writers of different things never wait for each other; numbers
// of a transaction that does not happen are filled with void documents. For any role: it names its own prefix.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "drivers/mongo/group_writer.h"
#include "events/event_log.h"
#include "events/position.h"

namespace parley::events {

struct MongoEventCollections {
  // "" or "media_": "media_events" and its like.
  explicit MongoEventCollections(const std::string& prefix)
      : events(prefix + "events"), consumers(prefix + "event_consumers"), log(prefix + "event_log") {}
  std::string events;
  std::string consumers;  // {_id: name, offset}
  std::string log;        // {_id: "numbers", last}, {_id: "pruned", through}, {_id: "position_secret", value}
};

// At start, outside of any transaction. The secret is made by whoever comes first.
void prepare_events(mongo::Database& database, const MongoEventCollections& collections);
PositionCodec::Secret load_position_secret(mongo::Database& database, const MongoEventCollections& collections,
                                           Random& random);

// What an event without data of its own refers to: the role's resolver makes the data when it is read.
struct MongoReference {
  UuidBytes document{};
  std::int64_t version = 0;
};

struct NewMongoEvent {
  UuidBytes id{};
  std::string type;
  std::string tenant;
  EventScope scope = EventScope::kConversation;
  std::string key;
  std::int64_t number = 0;
  WallTime time{};
  std::string subject;
  std::optional<std::string> data;  // none: `reference` says where it comes from
  MongoReference reference{};
  std::string erasable{};  // a name under which the data can be changed later (change_data); "": never
};

// The number that an appended event will have: known once its group was committed.
class EventTicket {
 public:
  struct Block {
    std::int64_t first = 0;
  };
  EventTicket() = default;
  EventTicket(std::shared_ptr<const Block> block, std::int64_t place) : block_(std::move(block)), place_(place) {}
  // Of an event that is there already.
  explicit EventTicket(LogOffset offset) : place_(offset.value) {}
  LogOffset offset() const { return {(block_ ? block_->first : 0) + place_}; }

 private:
  std::shared_ptr<const Block> block_;
  std::int64_t place_ = 0;
};

// One try of a group: gathers what its jobs append. Made by the writer (Options::make_companion), on its thread.
class MongoEventAppender final : public mongo::GroupCompanion {
 public:
  // Both must outlive it.
  MongoEventAppender(const MongoEventCollections& collections, CommitSignal& signal)
      : collections_(collections), signal_(signal), block_(std::make_shared<EventTicket::Block>()) {}

  EventTicket append(NewMongoEvent event);
  const MongoEventCollections& collections() const { return collections_; }

  void before_commit(mongo::Transaction& transaction) override;
  void after_commit() override;
  void after_abort(mongo::Database& database) override;

 private:
  const MongoEventCollections& collections_;
  CommitSignal& signal_;
  std::vector<NewMongoEvent> events_;
  std::shared_ptr<EventTicket::Block> block_;
};

struct NumberedMongoEvent {
  NewMongoEvent event;
  LogOffset number;
};
// Outside of any transaction, while nobody uses the log: it holds `events`, ascending, and nothing else, and goes on
// behind the last. Nothing happens when there are none.
void begin_behind(mongo::Database& database, const MongoEventCollections& collections,
                  const std::vector<NumberedMongoEvent>& events);

// A document of the log's; `data` is empty where the event has none of its own.
Event read_event(mongo::View document);
// The other way, with `data` as it is.
NewMongoEvent new_mongo_event_of(const Event& event);

// The newest event that the database's snapshot holds; 0 when there is none. What a write that changed nothing answers.
LogOffset last_event(mongo::Database& database, const MongoEventCollections& collections);
// Within a transaction: what events of this name hold becomes what `change` makes of it.
void change_data(mongo::Database& database, const MongoEventCollections& collections, std::string_view erasable,
                 const std::function<std::string(const std::string&)>& change);
// Gives numbers to nobody, where no event has them. A transaction that comes later all the same fails, and takes new
// ones. False when one of them is held by a transaction that is still under way.
bool fill_with_voids(mongo::Database& database, const MongoEventCollections& collections, LogOffset first,
                     LogOffset last);

}  // namespace parley::events
