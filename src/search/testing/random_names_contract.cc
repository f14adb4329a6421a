// Random names, renamings, erasures, rebuilds, restarts and repeated deliveries over three tenants, with random scopes:
// the index finds, resolves and suggests what the model allows, and never anything else. PARLEY_TEST_SEED repeats a
// run.
#include <cstdlib>
#include <map>
#include <set>

#include "search/testing/directory_contract.h"

namespace parley::search::testing {
namespace {

constexpr std::array kTenants{"acme", "other", "third"};
constexpr std::array kRooms{"c1", "c2", "c3", "c4"};
constexpr std::array kUsers{"u1", "u2", "u3"};
// No word is the beginning of another, nor of an id.
constexpr std::array kWords{"Design", "kernel", "Ångström", "会議", "북경", "Straße"};
constexpr std::array kTyped{"desi", "KERN", "angstr", "会議", "북경", "stras"};

using Key = std::pair<std::string, std::string>;  // tenant, room or user

struct Named {
  std::set<std::size_t> words;  // places in kWords
  std::int64_t number = 0;
  bool erased = false;
  std::string text() const {
    std::string name;
    for (const std::size_t word : words) name += (name.empty() ? "" : " ") + std::string(kWords[word]);
    return name;
  }
};

class Model {
 public:
  explicit Model(Random& random) : random_(random) {}

  void change_something() {
    const Key room{kTenants[random_.below(kTenants.size())], kRooms[random_.below(kRooms.size())]};
    const Key user{room.first, kUsers[random_.below(kUsers.size())]};
    if (random_.below(3) == 0) {
      Named& named = users[user];
      named.words = some_words();
      events.push_back(
          {TenantId(user.first), ConversationId(), ++named.number, UserWritten{UserId(user.second), named.text()}});
      return;
    }
    Named& named = rooms[room];
    named.erased = random_.below(10) == 0;
    if (named.erased) {
      named.words.clear();
      events.push_back({TenantId(room.first), ConversationId(room.second), ++named.number, ConversationErased{}});
      return;
    }
    named.words = some_words();
    events.push_back({TenantId(room.first), ConversationId(room.second), ++named.number, entry_of(named)});
  }
  // All of a tenant as its store has it now.
  std::vector<IndexChange> read(const std::string& tenant) const {
    std::vector<IndexChange> changes;
    for (const auto& [key, named] : rooms) {
      if (key.first != tenant || named.erased) continue;
      changes.push_back({TenantId(tenant), ConversationId(key.second), 0, entry_of(named)});
    }
    for (const auto& [key, named] : users) {
      if (key.first != tenant) continue;
      changes.push_back({TenantId(tenant), ConversationId(), 0, UserWritten{UserId(key.second), named.text()}});
    }
    return changes;
  }
  static std::set<std::string> holders(const std::map<Key, Named>& of, const std::string& tenant, std::size_t word) {
    std::set<std::string> ids;
    for (const auto& [key, named] : of) {
      if (key.first == tenant && named.words.contains(word)) ids.insert(key.second);
    }
    return ids;
  }

  // Those whose whole name is the word.
  static std::set<std::string> called(const std::map<Key, Named>& of, const std::string& tenant, std::size_t word) {
    std::set<std::string> ids = holders(of, tenant, word);
    std::erase_if(ids, [&](const std::string& id) { return of.at({tenant, id}).words.size() > 1; });
    return ids;
  }

  std::map<Key, Named> rooms, users;
  std::vector<IndexChange> events;

 private:
  static ConversationWritten entry_of(const Named& named) {
    return {.name = named.words.empty() ? std::nullopt : std::optional(named.text()), .topic = std::nullopt};
  }
  std::set<std::size_t> some_words() {
    std::set<std::size_t> words;
    for (std::uint64_t i = random_.below(3); i > 0; --i) words.insert(random_.below(kWords.size()));
    return words;
  }
  Random& random_;
};

std::set<std::string> within(const std::set<std::string>& ids, const SearchScope& scope) {
  std::set<std::string> kept;
  for (const ConversationId& each : scope.conversations) {
    if (ids.contains(each.value)) kept.insert(each.value);
  }
  return kept;
}

template <class Ids>
std::set<std::string> as_set(const Ids& ids) {
  return {ids.begin(), ids.end()};
}

TEST_P(DirectoryContract, WhateverHappensNamesAreFoundWhereTheModelAllowsAndNowhereElse) {
  const char* given = std::getenv("PARLEY_TEST_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : SecureRandom().next_u64();
  SCOPED_TRACE("PARLEY_TEST_SEED=" + std::to_string(seed));
  SeededRandom random(seed);
  Model model(random);
  std::size_t consumed = 0;

  const auto consume_all = [&] {
    const std::size_t again = random.below(std::min<std::size_t>(consumed, 12) + 1);  // delivered once more
    apply({model.events.begin() + static_cast<std::ptrdiff_t>(consumed - again), model.events.end()});
    consumed = model.events.size();
  };
  const auto compare = [&] {
    const char* tenant = kTenants[random.below(kTenants.size())];
    SearchScope some = scope({}, tenant);
    for (const char* room : kRooms) {
      if (random.below(2) == 0) some.conversations.emplace_back(room);
    }
    for (std::size_t word = 0; word < kWords.size(); ++word) {
      const auto rooms = within(Model::holders(model.rooms, tenant, word), some);
      const auto users_of = Model::holders(model.users, tenant, word);
      SCOPED_TRACE(std::string(tenant) + ' ' + kWords[word]);
      EXPECT_EQ(as_set(conversations(kTyped[word], some)), rooms);
      EXPECT_EQ(as_set(users(kTyped[word], tenant)), users_of);
      const auto page = conversations_page({.scope = some, .text = kTyped[word], .after = {}, .limit = 1});
      EXPECT_EQ(page.total, static_cast<std::int64_t>(rooms.size()));
      std::set<std::string> suggested;
      for (const Suggestion& each : suggestions(kTyped[word], some, kMaxHits)) {
        EXPECT_NE(each.kind, SuggestionKind::kWord);
        suggested.insert(each.id);
      }
      std::set<std::string> both = rooms;
      both.insert(users_of.begin(), users_of.end());
      EXPECT_EQ(suggested, both);
      const NamedIds ids = named({some, {kWords[word]}, {kWords[word]}});
      auto rooms_called = within(Model::called(model.rooms, tenant, word), some);
      auto users_called = Model::called(model.users, tenant, word);
      for (auto* expected : {&rooms_called, &users_called}) expected->insert(kWords[word]);  // a name may be an id
      EXPECT_EQ(as_set(ids.conversations), rooms_called);
      EXPECT_EQ(as_set(ids.users), users_called);
    }
  };

  for (int step = 0; step < 200 && !HasFailure(); ++step) {
    const std::uint64_t dice = random.below(100);
    if (dice < 55) {
      model.change_something();
    } else if (dice < 65) {
      const char* tenant = kTenants[random.below(kTenants.size())];
      if (!begin_rebuild("r", tenant).has_value()) continue;
      consume_all();  // the reader of the store begins where the events have come to
      add_to_rebuild(model.read(tenant), "", "r", tenant);
      if (random.below(2) == 0) model.change_something(), consume_all();
      if (random.below(4) == 0) {
        ASSERT_TRUE(abandon_rebuild("r", tenant).has_value());
      } else {
        ASSERT_TRUE(finish_rebuild("r", tenant).has_value());
      }
    } else if (dice < 70) {
      static_cast<void>(wait(index().sweep(random.below(5) + 1, kNoHurry)));
    } else if (dice < 72) {
      under_test_->reopen();
    } else {
      consume_all();
      compare();
    }
  }
  sweep_all();
  consume_all();
  for (int i = 0; i < 10; ++i) compare();
}

}  // namespace
}  // namespace parley::search::testing
