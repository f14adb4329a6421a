// Random changes, rebuilds, restarts and repeated deliveries: whenever the index has caught up with the store, it must
// answer what the store holds. PARLEY_TEST_SEED repeats a run.
#include <cstdlib>
#include <map>
#include <set>

#include "search/query_parser.h"
#include "search/testing/search_index_contract.h"

namespace parley::search::testing {
namespace {

constexpr std::array kTenants{"acme", "other"};
constexpr std::array kConversations{"c1", "c2", "c3"};
constexpr std::array kWords{"grub", "boot", "kernel", "panic", "unity"};

struct Stored {
  std::string content;
  WallTime created_at{};
  bool live = true;
  bool reacted = false;
};
struct Room {
  std::map<int, Stored> messages;  // by seq
  std::int64_t number = 0;
  bool erased = false;
};
using RoomKey = std::pair<std::string, std::string>;

// The store and its event log.
class Store {
 public:
  Store(Random& random, ManualClock& clock) : random_(random), clock_(clock) {}

  void change_something() {
    clock_.advance(std::chrono::milliseconds(random_.below(1500)));
    const RoomKey key{kTenants[random_.below(kTenants.size())], kConversations[random_.below(kConversations.size())]};
    Room& room = rooms[key];
    if (room.erased) return;
    const std::uint64_t dice = random_.below(100);
    if (dice < 45 || room.messages.empty()) {
      const int seq = static_cast<int>(room.messages.size()) + 1;
      room.messages[seq] = {.content = some_text(), .created_at = clock_.wall_now()};
      log(key, written(seq, room.messages[seq]));
      return;
    }
    if (dice == 99) {
      room.erased = true;
      return log(key, ConversationErased{});
    }
    const int seq = static_cast<int>(random_.below(room.messages.size())) + 1;
    Stored& message = room.messages[seq];
    if (!message.live) return;
    if (dice < 65) {
      message.content = some_text();
      log(key, written(seq, message));
    } else if (dice < 80) {
      message.live = false;
      log(key, MessageRemoved{id(seq)});
    } else {
      message.reacted = !message.reacted;
      log(key, ReactionsChanged{id(seq), message.reacted});
    }
  }
  // What a rebuild reads of a room after a seq: the present, tombstones too.
  std::vector<IndexChange> scan(const RoomKey& key, int after, std::size_t limit, int& last) const {
    std::vector<IndexChange> changes;
    const auto room = rooms.find(key);
    if (room == rooms.end() || room->second.erased) return changes;
    for (auto at = room->second.messages.upper_bound(after);
         at != room->second.messages.end() && changes.size() < limit; ++at) {
      last = at->first;
      if (!at->second.live) {
        changes.push_back({TenantId(key.first), ConversationId(key.second), 0, MessageRemoved{id(at->first)}});
        continue;
      }
      MessageWritten message = written(at->first, at->second);
      message.has_reaction = at->second.reacted;
      changes.push_back({TenantId(key.first), ConversationId(key.second), 0, std::move(message)});
    }
    return changes;
  }
  static MessageId id(int seq) { return MessageId("m-" + std::to_string(seq)); }

  std::map<RoomKey, Room> rooms;
  std::vector<IndexChange> events;

 private:
  static MessageWritten written(int seq, const Stored& message) {
    return {.id = id(seq),
            .seq = seq,
            .sender = UserId("u1"),
            .created_at = message.created_at,
            .content = message.content};
  }
  template <class What>
  void log(const RoomKey& key, What what) {
    events.push_back({TenantId(key.first), ConversationId(key.second), ++rooms[key].number, std::move(what)});
  }
  std::string some_text() {
    std::string text;
    for (std::uint64_t i = 0; i <= random_.below(3); ++i)
      text += std::string(kWords[random_.below(kWords.size())]) + ' ';
    return text;
  }

  Random& random_;
  ManualClock& clock_;
};

// Reads the store room by room, as the reindexer does; its place is the cursor.
struct Scan {
  std::size_t room = 0;
  int after = 0;
  std::string text() const { return std::to_string(room) + ':' + std::to_string(after); }
  static Scan of(const std::string& cursor) {
    Scan scan;
    if (!cursor.empty()) std::sscanf(cursor.c_str(), "%zu:%d", &scan.room, &scan.after);
    return scan;
  }
};

TEST_P(SearchIndexContract, WhateverHappensTheIndexComesToHoldWhatTheStoreHolds) {
  const char* given = std::getenv("PARLEY_TEST_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : SecureRandom().next_u64();
  SCOPED_TRACE("PARLEY_TEST_SEED=" + std::to_string(seed));
  SeededRandom random(seed);
  Store store(random, clock_);
  std::size_t consumed = 0;

  const auto consume = [&](std::size_t most) {
    std::size_t from = consumed;
    if (random.below(5) == 0) from -= std::min<std::size_t>(from, random.below(8));  // delivered again
    const std::size_t to = std::min(consumed + most, store.events.size());
    apply({store.events.begin() + static_cast<std::ptrdiff_t>(from),
           store.events.begin() + static_cast<std::ptrdiff_t>(to)},
          static_cast<std::int64_t>(to));
    consumed = to;
  };
  const auto rebuild_further = [&] {
    for (const RebuildState& running : rebuilds()) {
      const char* tenant = running.tenant.value.c_str();
      const char* id = running.id.c_str();
      Scan scan = Scan::of(running.cursor);
      if (random.below(30) == 0) {
        ASSERT_TRUE(abandon_rebuild(id, tenant).has_value());
      } else if (scan.room == kConversations.size()) {
        ASSERT_TRUE(finish_rebuild(id, tenant).has_value());
      } else {
        int last = scan.after;
        auto changes = store.scan({running.tenant.value, kConversations[scan.room]}, scan.after, 4, last);
        scan = changes.empty() ? Scan{scan.room + 1, 0} : Scan{scan.room, last};
        if (random.below(2) == 0) store.change_something(), consume(random.below(4));
        add_to_rebuild(std::move(changes), scan.text(), id, tenant);
      }
    }
  };
  const auto compare = [&] {
    for (const char* tenant : kTenants) {
      for (const char* conversation : kConversations) {
        const Room& room = store.rooms[{tenant, conversation}];
        std::map<std::string, std::set<std::string>> expected;
        std::int64_t live = 0;
        for (const auto& [seq, message] : room.messages) {
          if (room.erased || !message.live) continue;
          ++live;
          const std::string name = std::to_string(seq);
          if (message.reacted) expected["has:reaction"].insert(name);
          for (const char* word : kWords) {
            if (message.content.contains(word)) expected[word].insert(name);
          }
          EXPECT_THAT(contents({name.c_str()}, conversation, tenant), ::testing::ElementsAre(message.content));
        }
        EXPECT_EQ(count(conversation, tenant), live);
        for (const char* query : {"grub", "boot", "kernel", "panic", "unity", "has:reaction"}) {
          SearchRequest request{
              .scope = scope({conversation}, tenant), .query = parse_query(query).value(), .limit = kMaxHits};
          std::set<std::string> names;
          for (const Hit& hit : page(std::move(request)).items) names.insert(hit.id.value.substr(2));
          EXPECT_EQ(names, expected[query]) << tenant << ' ' << conversation << ' ' << query;
        }
      }
    }
  };

  for (int step = 0; step < 400 && !HasFailure(); ++step) {
    const std::uint64_t dice = random.below(100);
    if (dice < 50) {
      store.change_something();
    } else if (dice < 70) {
      consume(random.below(10));
    } else if (dice < 74) {
      static_cast<void>(begin_rebuild("r", kTenants[random.below(kTenants.size())]));
    } else if (dice < 92) {
      rebuild_further();
    } else if (dice < 95) {
      static_cast<void>(wait(index().sweep(random.below(5) + 1, kNoHurry)));
    } else if (dice < 96) {
      under_test_->reopen();
    } else {
      consume(SIZE_MAX / 2);
      compare();
    }
  }
  consume(SIZE_MAX / 2);
  while (!rebuilds().empty() && !HasFailure()) rebuild_further(), consume(SIZE_MAX / 2);
  compare();
  sweep_all();
  compare();
}

}  // namespace
}  // namespace parley::search::testing
