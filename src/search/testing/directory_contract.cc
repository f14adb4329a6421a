#include "search/testing/directory_contract.h"

#include <fmt/format.h>

#include "search/query_parser.h"

namespace parley::search::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

IndexChange DirectoryContract::entry(std::int64_t number, const char* conversation, ConversationWritten what,
                                     const char* tenant) {
  return {TenantId(tenant), ConversationId(conversation), number, std::move(what)};
}
IndexChange DirectoryContract::person_entry(std::int64_t number, const char* user, std::string name,
                                            const char* tenant) {
  return {TenantId(tenant), ConversationId(), number, UserWritten{UserId(user), std::move(name)}};
}
void DirectoryContract::name(const char* conversation, std::optional<std::string> name,
                             std::optional<std::string> topic, const char* tenant) {
  apply({entry(++number_, conversation, {.name = std::move(name), .topic = std::move(topic)}, tenant)});
}
void DirectoryContract::person(const char* user, std::string name, const char* tenant) {
  apply({person_entry(++number_, user, std::move(name), tenant)});
}
DirectoryPage DirectoryContract::conversations_page(DirectoryRequest request) {
  auto page = wait(index().find_conversations(std::move(request), kNoHurry));
  EXPECT_TRUE(page.has_value());
  return page.value_or(DirectoryPage{});
}
DirectoryPage DirectoryContract::users_page(DirectoryRequest request) {
  auto page = wait(index().find_users(std::move(request), kNoHurry));
  EXPECT_TRUE(page.has_value());
  return page.value_or(DirectoryPage{});
}

namespace {

std::vector<std::string> ids_of(const DirectoryPage& page) {
  std::vector<std::string> ids;
  for (const DirectoryHit& hit : page.items) ids.push_back(hit.id);
  return ids;
}

}  // namespace

std::vector<std::string> DirectoryContract::conversations(std::string text, SearchScope in) {
  return ids_of(conversations_page({.scope = std::move(in), .text = std::move(text), .after = {}, .limit = 100}));
}
std::vector<std::string> DirectoryContract::users(std::string text, const char* tenant) {
  return ids_of(users_page({.scope = scope({}, tenant), .text = std::move(text), .after = {}, .limit = 100}));
}
NamedIds DirectoryContract::named(NamesRequest request) {
  auto ids = wait(index().ids_by_name(std::move(request), kNoHurry));
  EXPECT_TRUE(ids.has_value());
  return ids.value_or(NamedIds{});
}

namespace {

TEST_P(DirectoryContract, ConversationsAreFoundByTheirNameAsItIsTyped) {
  name("c1", "General Chat");
  name("c2", "Random");
  for (const char* typed : {"g", "gen", "general", "GENERAL CH", "chat gen", "#general", "  general  "}) {
    EXPECT_THAT(conversations(typed, scope({"c1", "c2"})), ElementsAre("c1")) << typed;
  }
  for (const char* typed : {"eneral", "general x", "generally"}) {
    EXPECT_THAT(conversations(typed, scope({"c1", "c2"})), IsEmpty()) << typed;
  }
}

TEST_P(DirectoryContract, ExactNamesComeFirstThenBeginningsThenWordsThenTopics) {
  name("topic", "Lounge", "about design");
  name("word", "The design room");
  name("begins2", "Designers");
  name("begins1", "Design team");
  name("exact", "Design");
  EXPECT_THAT(conversations("design", scope({"topic", "word", "begins1", "begins2", "exact"})),
              ElementsAre("exact", "begins1", "begins2", "word", "topic"));
}

TEST_P(DirectoryContract, WordsMayBePartlyInTheNameAndPartlyInTheTopic) {
  name("c1", "Design", "weekly review");
  EXPECT_THAT(conversations("review design", scope({"c1"})), ElementsAre("c1"));
  EXPECT_THAT(conversations("review design daily", scope({"c1"})), IsEmpty());
}

TEST_P(DirectoryContract, ArchivedConversationsComeAfterThoseThatFitAsWell) {
  apply({entry(1, "a", {.name = "Design", .archived = true}), entry(1, "b", {.name = "Design"}),
         entry(1, "c", {.name = "Designers"})});
  EXPECT_THAT(conversations("design", scope({"a", "b", "c"})), ElementsAre("b", "a", "c"));
}

TEST_P(DirectoryContract, NamesOfManyScriptsAreFoundByWhatTheirSpeakersType) {
  const std::vector<std::array<const char*, 3>> names{
      {"zh", "东京会议室", "会议"},   {"ja", "開発プログラム", "プログ"},
      {"ko", "북경에서", "북경"},     {"th", "ห้องประชุม", "ประชุม"},
      {"ru", "Новости", "новос"},     {"el", "Ελλάδα", "ελλαδα"},
      {"tr", "İstanbul", "istanbul"}, {"de", "Straße", "STRASSE"},
      {"vi", "Đà Nẵng", "da nang"},   {"ar", "مكتبة", "مكت"},
      {"he", "שלום", "שלו"},          {"hi", "नमस्ते", "नमस्"}};
  std::vector<const char*> all;
  for (const auto& [id, called, typed] : names) {
    name(id, called);
    person(id, called);
    all.push_back(id);
  }
  for (const auto& [id, called, typed] : names) {
    EXPECT_THAT(conversations(typed, scope(all)), ElementsAre(id)) << typed;
    EXPECT_THAT(users(typed), ElementsAre(id)) << typed;
  }
}

TEST_P(DirectoryContract, ConversationsAreFoundInTheScopeAlone) {
  name("c1", "Design");
  name("c2", "Design secret");
  name("c1", "Design of others", {}, "other");
  EXPECT_THAT(conversations("design", scope({"c1"})), ElementsAre("c1"));
  EXPECT_THAT(conversations("secret", scope({"c1"})), IsEmpty());
  EXPECT_THAT(conversations("design", scope({})), IsEmpty());
  EXPECT_THAT(conversations("design", scope({"unknown"})), IsEmpty());
  EXPECT_THAT(conversations("others", scope({"c1"})), IsEmpty());
  EXPECT_THAT(conversations("design", scope({"c2"}, "other")), IsEmpty());
  EXPECT_THAT(conversations("design", scope({"c1"}, "nowhere")), IsEmpty());
  const DirectoryPage page = conversations_page({.scope = scope({"c1"}), .text = "design", .after = {}});
  EXPECT_EQ(page.total, 1);
  EXPECT_FALSE(page.total_is_bound);
}

TEST_P(DirectoryContract, AConversationNamedTwiceInTheScopeIsFoundOnce) {
  name("c1", "Design");
  EXPECT_THAT(conversations("design", scope({"c1", "c1"})), ElementsAre("c1"));
}

TEST_P(DirectoryContract, PeopleAreFoundByNameAndIdInTheirTenantAlone) {
  person("u-17", "Ada Lovelace");
  person("irc:nick", "");
  person("u-18", "Bob", "other");
  for (const char* typed : {"ada", "lovel", "love a", "u-17", "@ada", "17"}) {
    EXPECT_THAT(users(typed), ElementsAre("u-17")) << typed;
  }
  for (const char* typed : {"nick", "irc", "irc:ni"}) EXPECT_THAT(users(typed), ElementsAre("irc:nick")) << typed;
  EXPECT_THAT(users("bob"), IsEmpty());
  EXPECT_THAT(users("u-18"), IsEmpty());
  EXPECT_THAT(users("ada", "other"), IsEmpty());
  EXPECT_THAT(users("bob", "other"), ElementsAre("u-18"));
  EXPECT_THAT(users("ada", "nowhere"), IsEmpty());
}

TEST_P(DirectoryContract, PeopleComeByExactNameThenBeginningThenWord) {
  person("u4", "Maria Anna");
  person("u3", "Annabel");
  person("u2", "Anna Berg");
  person("u1", "Anna");
  EXPECT_THAT(users("anna"), ElementsAre("u1", "u2", "u3", "u4"));
  person("anna", "Zoe");  // an id is a name too
  EXPECT_THAT(users("anna"), ElementsAre("anna", "u1", "u2", "u3", "u4"));
}

TEST_P(DirectoryContract, APersonOfManyFittingWordsIsFoundOnce) {
  person("ann-1", "Ann Annabel Annson");
  EXPECT_THAT(users("ann"), ElementsAre("ann-1"));
  EXPECT_THAT(users("an"), ElementsAre("ann-1"));
  const DirectoryPage page = users_page({.scope = scope({}), .text = "ann", .after = {}});
  EXPECT_EQ(page.total, 1);
}

TEST_P(DirectoryContract, NothingTypedFindsNothing) {
  name("c1", "Design");
  person("u1", "Ada");
  for (const char* typed : {"", " ", "\t\n", "\u3000", "?", "*", "\"\"", "%", "_"}) {
    EXPECT_THAT(conversations(typed, scope({"c1"})), IsEmpty()) << typed;
    EXPECT_THAT(users(typed), IsEmpty()) << typed;
  }
}

TEST_P(DirectoryContract, WhatCannotBeAQueryIsRefused) {
  const auto refused = [&](DirectoryRequest request, const char* field) {
    for (const auto& answer :
         {wait(index().find_conversations(request, kNoHurry)), wait(index().find_users(request, kNoHurry))}) {
      ASSERT_FALSE(answer.has_value());
      EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
      if (field) {
        EXPECT_EQ(answer.error().fields.front().path, field);
      }
    }
  };
  const DirectoryRequest fine{.scope = scope({"c1"}), .text = "a", .after = {}};
  for (const std::string& text : {std::string(kMaxQueryBytes + 1, 'a'), std::string("\xff"), std::string("a\xc3")}) {
    DirectoryRequest request = fine;
    request.text = text;
    refused(request, "query.q");
  }
  for (const std::size_t limit : {std::size_t{0}, kMaxHits + 1}) {
    DirectoryRequest request = fine;
    request.limit = limit;
    refused(request, "query.limit");
  }
  for (const char* cursor : {"", "x", "c", "u", "c1", "c1:2", "u1:2:", "c1:99:ab", "u-1:1:ab", "c1:1:a",
                             "c99999999999:1:ab", "u1:99999999999999999999:ab", "c0:1:\xff\xff", "n:1:2:3"}) {
    DirectoryRequest request = fine;
    request.after = cursor;
    refused(request, "query.cursor");
  }
  DirectoryRequest wide = fine;
  wide.scope.conversations.assign(kMaxScope + 1, ConversationId("c1"));
  refused(wide, nullptr);
}

TEST_P(DirectoryContract, GarbageIsText) {
  name("c1", "Design");
  person("u1", "Ada");
  std::string words, controls("a\0b\x01\x02", 5);
  for (int i = 0; i < 200; ++i) words += fmt::format("w{} ", i);
  for (const std::string& text :
       {std::string(kMaxQueryBytes, 'a'), words, controls, std::string("'; DROP TABLE people; --"),
        std::string("\" OR 1=1"), std::string("NEAR(a b)"), std::string("design* OR"), std::string("\U0010FFFF")}) {
    EXPECT_THAT(conversations(text, scope({"c1"})), IsEmpty());
    EXPECT_THAT(users(text), IsEmpty());
  }
  EXPECT_THAT(conversations("design*", scope({"c1"})), ElementsAre("c1"));
}

TEST_P(DirectoryContract, AHighlightIsEscapedHtml) {
  name("c1", "<b>Design</b> & co", "<i>weekly</i>");
  person("u1", "<script>Ada</script>");
  person("<img>", "");
  const auto of_conversation = [&](const char* typed) {
    return conversations_page({.scope = scope({"c1"}), .text = typed, .after = {}}).items.at(0).highlight;
  };
  EXPECT_EQ(of_conversation("desi"), "&lt;b&gt;<em>Design</em>&lt;/b&gt; &amp; co");
  EXPECT_EQ(of_conversation("week"), "&lt;i&gt;<em>weekly</em>&lt;/i&gt;");
  const auto of_user = [&](const char* typed) {
    return users_page({.scope = scope({}), .text = typed, .after = {}}).items.at(0).highlight;
  };
  EXPECT_EQ(of_user("ada"), "&lt;script&gt;<em>Ada</em>&lt;/script&gt;");
  EXPECT_EQ(of_user("u1"), "<em>u1</em>");
  EXPECT_EQ(of_user("img"), "&lt;<em>img</em>&gt;");
}

TEST_P(DirectoryContract, PagesFollowEachOtherWithoutGapsWhateverIsAddedMeanwhile) {
  std::vector<const char*> ids;
  std::vector<std::string> names;
  for (int i = 0; i < 23; ++i) names.push_back(fmt::format("c{:02}", i));
  for (const std::string& id : names) {
    name(id.c_str(), id.back() % 2 == 0 ? "Design " + id : "The design " + id);
    person(id.c_str(), id.back() % 2 == 0 ? "Ada " + id : "The Ada " + id);
    ids.push_back(id.c_str());
  }
  ids.push_back("late");
  for (const bool people : {false, true}) {
    DirectoryRequest request{.scope = scope(ids), .text = people ? "ada" : "design", .after = {}, .limit = 5};
    std::vector<std::string> found;
    for (int pages = 0; pages < 10; ++pages) {
      const DirectoryPage page = people ? users_page(request) : conversations_page(request);
      for (const DirectoryHit& hit : page.items) found.push_back(hit.id);
      if (!page.next) break;
      request.after = page.next;
      if (people) {
        person("late", "Ada");  // stands before what is still to come
      } else {
        name("late", "Design");
      }
    }
    EXPECT_THAT(found, SizeIs(23));
    EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), 23u);
  }
}

TEST_P(DirectoryContract, TheTotalOfPeopleIsExactUpToItsBound) {
  std::vector<IndexChange> changes;
  for (int i = 0; i < kRankedWindow; ++i) {
    changes.push_back(person_entry(1, fmt::format("u{:04}", i).c_str(), i % 2 == 0 ? "Ada" : "Great Ada"));
  }
  apply(std::move(changes));
  const DirectoryRequest request{.scope = scope({}), .text = "ada", .after = {}, .limit = 3};
  EXPECT_EQ(users_page(request).total, kRankedWindow);
  EXPECT_FALSE(users_page(request).total_is_bound);
  person("one-more", "Ada");
  EXPECT_EQ(users_page(request).total, kRankedWindow);
  EXPECT_TRUE(users_page(request).total_is_bound);
}

TEST_P(DirectoryContract, ManyPeopleOfWhomFewFitCostABoundedStepEachPage) {
  std::vector<IndexChange> changes;
  for (int i = 0; i < 6000; ++i) {
    changes.push_back(person_entry(1, fmt::format("n{:04}", i).c_str(), "Longname of many"));
  }
  changes.push_back(person_entry(1, "zz", "A Longname Zed"));
  apply(std::move(changes));
  DirectoryRequest request{.scope = scope({}), .text = "zed longname", .after = {}};
  std::vector<std::string> found;
  for (int pages = 0; pages < 10; ++pages) {
    const DirectoryPage page = users_page(request);
    for (const DirectoryHit& hit : page.items) found.push_back(hit.id);
    if (!page.next) break;
    request.after = page.next;
  }
  EXPECT_THAT(found, ElementsAre("zz"));
}

TEST_P(DirectoryContract, ARenamedOneIsFoundByItsNewNameAlone) {
  name("c1", "Design", "old topic");
  name("c1", "Science", "new topic");
  person("u1", "Ada Lovelace");
  person("u1", "Ada King");
  EXPECT_THAT(conversations("design", scope({"c1"})), IsEmpty());
  EXPECT_THAT(conversations("old", scope({"c1"})), IsEmpty());
  EXPECT_THAT(conversations("science", scope({"c1"})), ElementsAre("c1"));
  EXPECT_THAT(users("lovelace"), IsEmpty());
  EXPECT_THAT(users("king"), ElementsAre("u1"));
  EXPECT_THAT(users("ada"), ElementsAre("u1"));
  name("c1", std::nullopt);
  EXPECT_THAT(conversations("science", scope({"c1"})), IsEmpty());
}

TEST_P(DirectoryContract, LateAndRepeatedEntriesNeverWin) {
  EXPECT_EQ(apply({entry(5, "c1", {.name = "New"}), person_entry(5, "u1", "New")}).applied, 2u);
  EXPECT_EQ(apply({entry(4, "c1", {.name = "Old"}), entry(5, "c1", {.name = "Again"}), person_entry(4, "u1", "Old"),
                   person_entry(5, "u1", "Again")})
                .stale,
            4u);
  EXPECT_THAT(conversations("new", scope({"c1"})), ElementsAre("c1"));
  EXPECT_THAT(conversations("old", scope({"c1"})), IsEmpty());
  EXPECT_THAT(users("new"), ElementsAre("u1"));
  EXPECT_THAT(users("again"), IsEmpty());
}

TEST_P(DirectoryContract, AnEntryAndTheMessagesOfAConversationHaveNumbersOfTheirOwn) {
  apply({change(9, message("a", "grub"))});
  EXPECT_EQ(apply({entry(3, "c1", {.name = "Boot"})}).applied, 1u);
  EXPECT_EQ(apply({change(2, message("b", "grub"))}).applied, 1u);
  EXPECT_THAT(conversations("boot", scope({"c1"})), ElementsAre("c1"));
  EXPECT_THAT(found("grub"), ElementsAre("b", "a"));
}

TEST_P(DirectoryContract, AMessageAndAConversationOfOneIdAreTwo) {
  for (const char* room : {"c", "e", "u", "m"}) {
    apply({change(1, message("x", "grub"), room), entry(1, "m-x", {.name = "Boot"}), person_entry(1, "m-x", "Ada")});
    EXPECT_THAT(found("grub", scope({room})), ElementsAre("x"));
  }
  EXPECT_THAT(conversations("boot", scope({"m-x"})), ElementsAre("m-x"));
  EXPECT_THAT(users("ada"), ElementsAre("m-x"));
}

TEST_P(DirectoryContract, AnErasedConversationIsNotFoundWhateverComesLate) {
  apply({entry(1, "c1", {.name = "Secret plan"}), change(2, message("a", "grub"))});
  apply({erasure(7)});
  EXPECT_THAT(conversations("secret", scope({"c1"})), IsEmpty());
  EXPECT_EQ(apply({entry(1, "c1", {.name = "Secret plan"}), entry(7, "c1", {.name = "Secret plan"})}).stale, 2u);
  EXPECT_THAT(conversations("secret", scope({"c1"})), IsEmpty());
  EXPECT_THAT(named({scope({"c1"}), {}, {"secret plan"}}).conversations, ElementsAre("secret plan"));
  EXPECT_EQ(apply({entry(8, "c1", {.name = "Anew"})}).applied, 1u);
  EXPECT_THAT(conversations("anew", scope({"c1"})), ElementsAre("c1"));
}

TEST_P(DirectoryContract, AnErasureThatComesLateLeavesWhatIsNewer) {
  apply({entry(9, "c1", {.name = "Anew"})});
  apply({erasure(7)});
  EXPECT_THAT(conversations("anew", scope({"c1"})), ElementsAre("c1"));
}

TEST_P(DirectoryContract, NamesStandForTheIdsThatHaveThem) {
  name("c1", "Design Team");
  name("c2", "design team");
  name("c3", "Design Team", {}, "other");
  name("c4", "Design");
  person("u1", "José Núñez");
  person("u2", "jose nunez");
  person("u3", "José Núñez", "other");
  person("u4", "José");
  const NamedIds ids = named({scope({"c1", "c2", "c4"}), {"JOSE NUNEZ", "u4"}, {"DESIGN team", "c4"}});
  EXPECT_THAT(ids.users, UnorderedElementsAre("JOSE NUNEZ", "u1", "u2", "u4"));
  EXPECT_THAT(ids.conversations, UnorderedElementsAre("DESIGN team", "c1", "c2", "c4"));
  EXPECT_THAT(named({scope({"c1"}), {"@jose"}, {"#design team"}}).users, UnorderedElementsAre("@jose", "u4"));
  EXPECT_THAT(named({scope({"c1"}), {}, {"#design team"}}).conversations, UnorderedElementsAre("#design team", "c1"));
}

TEST_P(DirectoryContract, NamesOfConversationsOutOfTheScopeStandForNothing) {
  name("c2", "Secret");
  name("c1", "Secret", {}, "other");
  EXPECT_THAT(named({scope({"c1"}), {}, {"secret"}}).conversations, ElementsAre("secret"));
  EXPECT_THAT(named({scope({}), {}, {"secret"}}).conversations, ElementsAre("secret"));
  person("u9", "Ada", "other");
  EXPECT_THAT(named({scope({"c1"}), {"ada"}, {}}).users, ElementsAre("ada"));
  EXPECT_THAT(named({scope({"c1"}, "nowhere"), {"ada"}, {"secret"}}).users, ElementsAre("ada"));
}

TEST_P(DirectoryContract, AnIdStandsForItselfOnceEvenWhenNobodyIsKnownByIt) {
  person("u1", "u1");
  EXPECT_THAT(named({scope({"c1"}), {"u1", "u1", "nobody"}, {"c1"}}).users, ElementsAre("u1", "nobody"));
  EXPECT_THAT(named({scope({"c1"}), {}, {"c1", "c1"}}).conversations, ElementsAre("c1"));
  EXPECT_THAT(named({scope({"c1"}), {}, {}}).users, IsEmpty());
}

TEST_P(DirectoryContract, NamesBeyondTheBoundAreRefused) {
  const NamesRequest fine{scope({"c1"}), {"a"}, {"b"}};
  for (const std::string& bad : {std::string(kMaxQueryBytes + 1, 'a'), std::string("\xff")}) {
    NamesRequest request = fine;
    request.users = {bad};
    EXPECT_FALSE(wait(index().ids_by_name(request, kNoHurry)).has_value());
    request = fine;
    request.conversations = {bad};
    EXPECT_FALSE(wait(index().ids_by_name(request, kNoHurry)).has_value());
  }
  NamesRequest many = fine;
  many.users.assign(1000, "a");
  EXPECT_FALSE(wait(index().ids_by_name(many, kNoHurry)).has_value());
  NamesRequest wide = fine;
  wide.scope.conversations.assign(kMaxScope + 1, ConversationId("c1"));
  EXPECT_FALSE(wait(index().ids_by_name(wide, kNoHurry)).has_value());
}

TEST_P(DirectoryContract, ARebuildReplacesAllEntriesAtOnceAndWhatIsSweptIsGone) {
  name("c1", "Design");
  name("c2", "Lost");
  person("u1", "Ada");
  person("u2", "Lost");
  ASSERT_TRUE(begin_rebuild().has_value());
  add_to_rebuild({entry(0, "c1", {.name = "Design anew"}), person_entry(0, "u1", "Ada anew")});
  EXPECT_THAT(conversations("lost", scope({"c1", "c2"})), ElementsAre("c2"));
  EXPECT_THAT(conversations("anew", scope({"c1", "c2"})), IsEmpty());
  EXPECT_THAT(users("lost"), ElementsAre("u2"));
  EXPECT_THAT(users("anew"), IsEmpty());
  ASSERT_TRUE(finish_rebuild().has_value());
  for (int swept = 0; swept < 2; ++swept) {
    EXPECT_THAT(conversations("lost", scope({"c1", "c2"})), IsEmpty());
    EXPECT_THAT(conversations("anew", scope({"c1", "c2"})), ElementsAre("c1"));
    EXPECT_THAT(users("lost"), IsEmpty());
    EXPECT_THAT(users("anew"), ElementsAre("u1"));
    sweep_all(1);
  }
}

TEST_P(DirectoryContract, WhatARebuildReadsNeverBeatsAnEvent) {
  ASSERT_TRUE(begin_rebuild().has_value());
  apply({entry(5, "c1", {.name = "Event"}), person_entry(5, "u1", "Event")});
  add_to_rebuild({entry(0, "c1", {.name = "Store"}), entry(0, "c2", {.name = "Store"}), person_entry(0, "u1", "Store"),
                  person_entry(0, "u2", "Store")});
  // A page that is read again takes its own place, and an event takes that of what was read.
  add_to_rebuild({entry(0, "c2", {.name = "Storage"}), person_entry(0, "u2", "Storage")});
  apply({entry(1, "c3", {.name = "Event"}), person_entry(1, "u2", "Event")});
  apply({erasure(4, "c3")});
  add_to_rebuild({entry(0, "c3", {.name = "Store"})});
  ASSERT_TRUE(finish_rebuild().has_value());
  const SearchScope all = scope({"c1", "c2", "c3"});
  EXPECT_THAT(conversations("store", all), IsEmpty());
  EXPECT_THAT(conversations("storage", all), ElementsAre("c2"));
  EXPECT_THAT(conversations("event", all), ElementsAre("c1"));
  EXPECT_THAT(users("store"), IsEmpty());
  EXPECT_THAT(users("event"), ElementsAre("u1", "u2"));
}

TEST_P(DirectoryContract, AnAbandonedRebuildLeavesWhatServes) {
  name("c1", "Design");
  person("u1", "Ada");
  ASSERT_TRUE(begin_rebuild().has_value());
  add_to_rebuild({entry(0, "c1", {.name = "Other"}), person_entry(0, "u1", "Other"), person_entry(0, "u2", "Other")});
  ASSERT_TRUE(abandon_rebuild().has_value());
  sweep_all(1);
  EXPECT_THAT(conversations("design", scope({"c1"})), ElementsAre("c1"));
  EXPECT_THAT(users("ada"), ElementsAre("u1"));
  EXPECT_THAT(users("other"), IsEmpty());
}

TEST_P(DirectoryContract, ARestartForgetsNothing) {
  name("c1", "Design");
  person("u1", "Ada");
  apply({}, 17);
  under_test_->reopen();
  EXPECT_THAT(conversations("design", scope({"c1"})), ElementsAre("c1"));
  EXPECT_THAT(users("ada"), ElementsAre("u1"));
  EXPECT_EQ(users_page({.scope = scope({}), .text = "ada", .after = {}}).indexed_through.value, 17);
  EXPECT_EQ(conversations_page({.scope = scope({"c1"}), .text = "x", .after = {}}).indexed_through.value, 17);
}

TEST_P(DirectoryContract, AFromFilterTakesTheIdsOfAName) {
  person("u2", "Ada");
  auto hers = message("hers", "grub"), his = message("his", "grub");
  hers.sender = UserId("u2");
  apply({change(1, hers), change(2, his)});
  Query query = parse_query("grub from:ADA").value();
  query.from = named({scope(), query.from, {}}).users;
  const SearchPage hits = page({.scope = scope(), .query = query, .sort = Sort::kNewest, .after = {}});
  ASSERT_THAT(hits.items, SizeIs(1));
  EXPECT_EQ(hits.items[0].id, id_of("hers"));
}

}  // namespace
}  // namespace parley::search::testing
