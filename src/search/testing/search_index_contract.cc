#include "search/testing/search_index_contract.h"

#include "base/text.h"
#include "search/query_parser.h"

namespace parley::search::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

SearchIndexContract::SearchIndexContract() : loops_(1), under_test_(GetParam()(clock_)) {
  loops_.start();
}
SearchIndexContract::~SearchIndexContract() {
  EXPECT_THAT(under_test_->problems(loops_.at(0)), IsEmpty());
}

MessageWritten SearchIndexContract::message(const char* name, std::string content) {
  clock_.advance(std::chrono::seconds(1));
  return {.id = id_of(name),
          .seq = 1,
          .sender = UserId("u1"),
          .created_at = clock_.wall_now(),
          .content = std::move(content)};
}
IndexChange SearchIndexContract::change(std::int64_t number, MessageWritten what, const char* conversation,
                                        const char* tenant) {
  return {TenantId(tenant), ConversationId(conversation), number, std::move(what)};
}
IndexChange SearchIndexContract::removal(std::int64_t number, const char* name, const char* conversation,
                                         const char* tenant) {
  return {TenantId(tenant), ConversationId(conversation), number, MessageRemoved{id_of(name)}};
}
IndexChange SearchIndexContract::reaction(std::int64_t number, const char* name, bool any, const char* conversation,
                                          const char* tenant) {
  return {TenantId(tenant), ConversationId(conversation), number, ReactionsChanged{id_of(name), any}};
}
IndexChange SearchIndexContract::erasure(std::int64_t number, const char* conversation, const char* tenant) {
  return {TenantId(tenant), ConversationId(conversation), number, ConversationErased{}};
}
ApplyOutcome SearchIndexContract::apply(std::vector<IndexChange> changes, std::int64_t through) {
  auto outcome =
      wait(index().apply({.changes = std::move(changes), .dead_letters = {}, .through = {through}}, kNoHurry));
  EXPECT_TRUE(outcome.has_value());
  return outcome.value_or(ApplyOutcome{});
}
void SearchIndexContract::write(const char* name, std::string content, const char* conversation, const char* tenant) {
  apply({change(++number_, message(name, std::move(content)), conversation, tenant)});
}
SearchScope SearchIndexContract::scope(std::vector<const char*> conversations, const char* tenant) {
  SearchScope made{.tenant = TenantId(tenant), .caller = UserId("u1"), .conversations = {}};
  for (const char* conversation : conversations) made.conversations.emplace_back(conversation);
  return made;
}
SearchPage SearchIndexContract::page(SearchRequest request) {
  auto answer = wait(index().search(std::move(request), kNoHurry));
  EXPECT_TRUE(answer.has_value());
  return answer.value_or(SearchPage{});
}
SearchPage SearchIndexContract::search(const char* query, SearchScope in, Sort sort) {
  return page({.scope = std::move(in), .query = parse_query(query).value(), .sort = sort});
}
std::vector<std::string> SearchIndexContract::found(const char* query, SearchScope in, Sort sort) {
  std::vector<std::string> names;
  for (const Hit& hit : search(query, std::move(in), sort).items) names.push_back(hit.id.value.substr(2));
  return names;
}
std::vector<std::string> SearchIndexContract::suggested(const char* prefix, SearchScope in) {
  auto suggestions = wait(index().suggest({.scope = std::move(in), .prefix = prefix}, kNoHurry));
  EXPECT_TRUE(suggestions.has_value());
  std::vector<std::string> words;
  for (const Suggestion& each : suggestions.value_or(std::vector<Suggestion>{})) {
    if (each.kind == SuggestionKind::kWord) words.push_back(each.text);
  }
  return words;
}
std::int64_t SearchIndexContract::count(const char* conversation, const char* tenant) {
  return wait(index().count(TenantId(tenant), ConversationId(conversation), kNoHurry)).value();
}
std::optional<std::string> SearchIndexContract::near(const char* query, SearchScope in) {
  return wait(index().did_you_mean(std::move(in), parse_query(query).value(), kNoHurry)).value();
}
std::vector<std::string> SearchIndexContract::contents(std::vector<const char*> names, const char* conversation,
                                                       const char* tenant) {
  std::vector<MessageId> ids;
  for (const char* name : names) ids.push_back(id_of(name));
  std::vector<std::string> texts;
  for (const IndexedMessage& each :
       wait(index().lookup(TenantId(tenant), ConversationId(conversation), std::move(ids), kNoHurry)).value()) {
    texts.push_back(each.content);
  }
  return texts;
}

Result<RebuildState> SearchIndexContract::begin_rebuild(const char* id, const char* tenant) {
  return wait(index().begin_rebuild(TenantId(tenant), id, kNoHurry));
}
RebuildState SearchIndexContract::add_to_rebuild(std::vector<IndexChange> changes, std::string cursor, const char* id,
                                                 const char* tenant) {
  const auto messages = static_cast<std::int64_t>(changes.size());
  return wait(index().add_to_rebuild(TenantId(tenant), id,
                                     {.changes = std::move(changes), .cursor = std::move(cursor), .messages = messages},
                                     kNoHurry))
      .value();
}
Result<RebuildState> SearchIndexContract::finish_rebuild(const char* id, const char* tenant) {
  return wait(index().finish_rebuild(TenantId(tenant), id, kNoHurry));
}
Result<> SearchIndexContract::abandon_rebuild(const char* id, const char* tenant) {
  return wait(index().abandon_rebuild(TenantId(tenant), id, kNoHurry));
}
int SearchIndexContract::sweep_all(std::size_t limit) {
  int calls = 1;
  while (wait(index().sweep(limit, kNoHurry)).value()) ++calls;
  return calls;
}

namespace {

TEST_P(SearchIndexContract, AllWordsMustMatchAndExcludedOnesMustNot) {
  write("a", "grub error on boot");
  write("b", "grub works");
  write("c", "boot works");
  EXPECT_THAT(found("grub"), ElementsAre("b", "a"));
  EXPECT_THAT(found("boot grub"), ElementsAre("a"));
  EXPECT_THAT(found("grub -boot"), ElementsAre("b"));
  EXPECT_THAT(found("-grub"), ElementsAre("c"));
  EXPECT_THAT(found("error OR works"), ElementsAre("c", "b", "a"));
  EXPECT_THAT(found("grub nowhere"), IsEmpty());
}

TEST_P(SearchIndexContract, PhrasesNeedTheirOrderAndPrefixesGoOn) {
  write("a", "how do I install it");
  write("b", "do how it installs");
  EXPECT_THAT(found("\"how do i\""), ElementsAre("a"));
  EXPECT_THAT(found("inst*"), ElementsAre("b", "a"));
  EXPECT_THAT(found("\"install\""), ElementsAre("a"));  // no stems in quotes
  EXPECT_THAT(found("install"), ElementsAre("b", "a"));
  EXPECT_THAT(found("\"installs\""), ElementsAre("b"));
}

TEST_P(SearchIndexContract, NothingFindsNothing) {
  write("a", "grub");
  for (const char* query : {"", "  ", "?!", "\"\"", "*"}) EXPECT_THAT(found(query), IsEmpty()) << query;
}

TEST_P(SearchIndexContract, OperatorsOfTheEngineAreText) {
  write("a", "near and not or body scope words");
  for (const char* query : {"NEAR(a b)", "body:grub", "scope : x", "a\"b", "{a}", "^a", "a AND (b", "NOT a",
                            "\x01"
                            "c1",
                            "\x02grub", "'; DROP TABLE documents; --", "a + b"}) {
    search(query);
  }
  EXPECT_THAT(found("NOT body"), ElementsAre("a"));
  EXPECT_THAT(found("\x01"
                    "c1"),
              IsEmpty());
}

TEST_P(SearchIndexContract, ATextOfMarksIsAText) {
  write("a",
        "\x01"
        "c1 hf hl");
  write("b", "\x02grub boot");
  EXPECT_THAT(found("has:file"), IsEmpty());
  EXPECT_THAT(found("boot"), ElementsAre("b"));
  EXPECT_THAT(found("c1"), ElementsAre("a"));
}

TEST_P(SearchIndexContract, FiltersNarrow) {
  auto plain = message("plain", "grub"), file = message("file", "grub"), link = message("link", "grub https://x.y/z"),
       liked = message("liked", "grub"), named = message("named", "grub");
  file.file_names = {"menu.lst"};
  liked.has_reaction = true;
  liked.sender = UserId("u2");
  named.mentions = {UserId("u1"), UserId("u3")};
  apply({change(1, plain), change(2, file), change(3, link), change(4, liked), change(5, named)});
  EXPECT_THAT(found("grub has:file"), ElementsAre("file"));
  EXPECT_THAT(found("has:link"), ElementsAre("link"));
  EXPECT_THAT(found("has:reaction grub"), ElementsAre("liked"));
  EXPECT_THAT(found("from:u2"), ElementsAre("liked"));
  EXPECT_THAT(found("from:u2 from:u1"), SizeIs(5));
  EXPECT_THAT(found("from:nobody grub"), IsEmpty());
  EXPECT_THAT(found("mentions:me"), ElementsAre("named"));
  EXPECT_THAT(found("menu.lst"), ElementsAre("file"));
  EXPECT_THAT(found("in:c1 grub"), SizeIs(5));
  EXPECT_THAT(found("in:c2 grub"), IsEmpty());
}

TEST_P(SearchIndexContract, FiltersBehindAMinusNarrowTheOtherWay) {
  auto plain = message("plain", "grub"), file = message("file", "grub"), link = message("link", "grub https://x.y/z"),
       liked = message("liked", "grub"), named = message("named", "grub");
  file.file_names = {"menu.lst"};
  liked.has_reaction = true;
  liked.sender = UserId("u2");
  named.mentions = {UserId("u1"), UserId("u3")};
  apply({change(1, plain), change(2, file), change(3, link), change(4, liked), change(5, named)});
  write("elsewhere", "grub", "c2");
  const SearchScope both = scope({"c1", "c2"});
  EXPECT_THAT(found("grub -has:file"), ElementsAre("named", "liked", "link", "plain"));
  EXPECT_THAT(found("-has:link"), ElementsAre("named", "liked", "file", "plain"));
  EXPECT_THAT(found("grub -has:reaction -has:file -has:link"), ElementsAre("named", "plain"));
  EXPECT_THAT(found("grub -from:u2"), ElementsAre("named", "link", "file", "plain"));
  EXPECT_THAT(found("-from:u1"), ElementsAre("liked"));
  EXPECT_THAT(found("-from:u1 -from:u2"), IsEmpty());
  EXPECT_THAT(found("-from:nobody -menu"), ElementsAre("named", "liked", "link", "plain"));
  EXPECT_THAT(found("-from:nobody"), SizeIs(5));
  EXPECT_THAT(found("from:u1 -mentions:me"), ElementsAre("link", "file", "plain"));
  EXPECT_THAT(found("-in:c1 grub", both), ElementsAre("elsewhere"));
  EXPECT_THAT(found("-in:c1", both), ElementsAre("elsewhere"));
  EXPECT_THAT(found("-in:c3 grub", both), SizeIs(6));
  EXPECT_THAT(found("-in:c1 -in:c2 grub", both), IsEmpty());
  EXPECT_THAT(found("in:c1 -in:c1 grub", both), IsEmpty());
  EXPECT_EQ(search("grub -from:u2").total, 4);
}

TEST_P(SearchIndexContract, AMinusBeforeATimeLeavesThatTimeOut) {
  auto early = message("early", "grub"), that_day = message("that day", "grub"), late = message("late", "grub");
  early.created_at = *parse_rfc3339("2024-02-28T23:59:59.999Z");
  that_day.created_at = *parse_rfc3339("2024-02-29T12:00:00Z");
  late.created_at = *parse_rfc3339("2024-03-01T00:00:00Z");
  apply({change(1, early), change(2, that_day), change(3, late)});
  EXPECT_THAT(found("-on:2024-02-29"), ElementsAre("late", "early"));
  EXPECT_THAT(found("grub -on:2024-02-29 -on:2024-03-01"), ElementsAre("early"));
  EXPECT_THAT(found("-before:2024-02-29"), ElementsAre("late", "that day"));
  EXPECT_THAT(found("-after:2024-02-29"), ElementsAre("that day", "early"));
  EXPECT_EQ(search("grub -on:2024-02-29").total, 2);
}

// One letter begins half of all words: it is searched as the word that it is, and nothing else is lit up.
TEST_P(SearchIndexContract, AStarBehindOneLetterIsNoPrefix) {
  write("a", "plan a of an apple");
  write("b", "an apple");
  EXPECT_THAT(found("a*"), ElementsAre("a"));
  EXPECT_EQ(search("a*").items.at(0).highlight, "plan <em>a</em> of an apple");
  write("c", "get-apple get-b");
  EXPECT_THAT(found("get-a*"), IsEmpty());
  EXPECT_THAT(found("get-ap*"), ElementsAre("c"));
  EXPECT_THAT(found("an*"), ElementsAre("b", "a"));
  write("d", "\u4F1A\u8B70");
  EXPECT_THAT(found("\u4F1A*"), ElementsAre("d"));
}

TEST_P(SearchIndexContract, NamesOfFilesAreFoundAndLitUpAndGoWithTheFiles) {
  auto bare = message("bare", ""), told = message("told", "see the plan");
  bare.file_names = {"Grub_Menu-v2.lst", "会議の資料.xlsx"};
  told.file_names = {"<plan>.pdf"};
  apply({change(1, bare), change(2, told)});
  for (const char* query : {"grub", "\"grub menu\"", "menu-v2.lst", "会議", "資料", "xls*", "has:file grub"}) {
    EXPECT_THAT(found(query), ElementsAre("bare")) << query;
  }
  const auto lit = [this](const char* query) { return search(query, scope(), Sort::kNewest).items.at(0); };
  EXPECT_EQ(lit("grub").highlight, "<em>Grub</em>_Menu-v2.lst\n会議の資料.xlsx");
  EXPECT_EQ(lit("grub").file_names, "Grub_Menu-v2.lst\n会議の資料.xlsx");
  EXPECT_EQ(lit("pdf").highlight, "see the plan\n&lt;plan&gt;.<em>pdf</em>");
  EXPECT_EQ(lit("pdf").file_names, "<plan>.pdf");
  bare.file_names = {"会議の資料.xlsx"};
  told.file_names = {};
  apply({change(3, bare), change(4, told)});
  EXPECT_THAT(found("grub"), IsEmpty());
  EXPECT_THAT(found("pdf"), IsEmpty());
  EXPECT_THAT(found("has:file"), ElementsAre("bare"));
  EXPECT_THAT(found("会議"), ElementsAre("bare"));
  EXPECT_THAT(found("plan"), ElementsAre("told"));
  EXPECT_EQ(lit("plan").file_names, "");
}

TEST_P(SearchIndexContract, TimesNarrow) {
  const WallTime day(std::chrono::sys_days{std::chrono::year(2024) / 2 / 28});
  auto before = message("before", "grub"), first = message("first", "grub"), last = message("last", "grub"),
       after = message("after", "grub");
  before.created_at = day - std::chrono::milliseconds(1);
  first.created_at = day;
  last.created_at = day + std::chrono::days(1) - std::chrono::milliseconds(1);
  after.created_at = day + std::chrono::days(1);
  apply({change(1, after), change(2, first), change(3, before), change(4, last)});
  EXPECT_THAT(found("grub on:2024-02-28"), ElementsAre("last", "first"));
  EXPECT_THAT(found("grub before:2024-02-28"), ElementsAre("before"));
  EXPECT_THAT(found("after:2024-02-28"), ElementsAre("after"));
  EXPECT_THAT(found("grub"), ElementsAre("after", "last", "first", "before"));
}

TEST_P(SearchIndexContract, AnEditReplacesWhatWasSaid) {
  auto said = message("a", "secret grub");
  apply({change(1, said)});
  said.content = "harmless";
  apply({change(2, said)});
  EXPECT_THAT(found("secret"), IsEmpty());
  EXPECT_THAT(found("harmless"), ElementsAre("a"));
  EXPECT_THAT(suggested("secr"), IsEmpty());
  EXPECT_EQ(count(), 1);
}

TEST_P(SearchIndexContract, ADeletedMessageIsGoneAndALateWriteDoesNotBringItBack) {
  const auto said = message("a", "secret");
  apply({change(1, said)});
  EXPECT_EQ(apply({removal(3, "a")}).applied, 1u);
  EXPECT_THAT(found("secret"), IsEmpty());
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(apply({change(1, said), change(2, said), removal(3, "a")}).stale, 3u);
  EXPECT_THAT(found("secret"), IsEmpty());
}

TEST_P(SearchIndexContract, ADeleteThatComesBeforeItsMessageHolds) {
  apply({removal(2, "a")});
  EXPECT_EQ(apply({change(1, message("a", "secret"))}).stale, 1u);
  EXPECT_THAT(found("secret"), IsEmpty());
}

TEST_P(SearchIndexContract, LateAndRepeatedWritesNeverWin) {
  auto first = message("a", "first"), second = first;
  second.content = "second";
  EXPECT_EQ(apply({change(2, second)}).applied, 1u);
  EXPECT_EQ(apply({change(1, first), change(2, first)}).stale, 2u);
  EXPECT_THAT(found("first"), IsEmpty());
  EXPECT_THAT(found("second"), ElementsAre("a"));
}

TEST_P(SearchIndexContract, OneBatchMayHoldTheWholeLifeOfAMessage) {
  auto said = message("a", "first"), edited = said;
  edited.content = "second";
  apply({change(1, said), change(2, edited), removal(3, "a"), change(4, message("b", "third"))});
  EXPECT_THAT(found("first OR second OR third"), ElementsAre("b"));
}

TEST_P(SearchIndexContract, AnErasedConversationIsGoneWhateverComesLate) {
  write("a", "grub", "c1");
  write("b", "grub", "c2");
  apply({erasure(10)});
  EXPECT_THAT(found("grub", scope({"c1", "c2"})), ElementsAre("b"));
  EXPECT_EQ(apply({change(9, message("a", "grub")), removal(10, "a"), erasure(10)}).stale, 3u);
  EXPECT_EQ(count("c1"), 0);
  EXPECT_EQ(count("c2"), 1);
}

TEST_P(SearchIndexContract, AShortPrefixAloneIsFound) {
  write("a", "grub menu");
  write("b", "kernel");
  write("c", "the ground");
  for (const Sort sort : {Sort::kNewest, Sort::kRelevance}) {
    EXPECT_THAT(found("gr*", scope(), sort), UnorderedElementsAre("a", "c"));
    EXPECT_THAT(found("gr* -menu", scope(), sort), ElementsAre("c"));
    EXPECT_THAT(found("gr* ke*", scope(), sort), IsEmpty());
  }
}

TEST_P(SearchIndexContract, AWordOfOtherRoomsIsFoundInASmallOne) {
  std::vector<IndexChange> changes{change(++number_, message("old", "grub"))};
  for (int i = 0; i < 15'000; ++i) {
    changes.push_back(change(++number_, message(std::to_string(i).c_str(), "grub"), "big"));
  }
  changes.push_back(change(++number_, message("new", "grub")));
  apply(std::move(changes));
  for (const Sort sort : {Sort::kNewest, Sort::kRelevance}) {
    EXPECT_THAT(found("grub", scope(), sort), UnorderedElementsAre("new", "old"));
  }
  EXPECT_THAT(found("grub -boot in:c1", scope({"c1", "big"})), UnorderedElementsAre("new", "old"));
  EXPECT_THAT(suggested("gr"), ElementsAre("grub"));
  EXPECT_EQ(search("grub", scope({"c1", "big"})).total, kRankedWindow);
}

TEST_P(SearchIndexContract, AScopeMayHaveAsManyConversationsAsItsBound) {
  std::vector<IndexChange> changes{change(++number_, message("a", "grub"))};
  SearchScope wide = scope({});
  for (std::size_t i = 0; i + 1 < kMaxScope; ++i) {
    wide.conversations.emplace_back("c-" + std::to_string(i));
    if (i % 10 != 0) continue;
    changes.push_back(change(++number_, message("w", "boot"), wide.conversations.back().value.c_str()));
  }
  wide.conversations.emplace_back("c1");
  apply(std::move(changes));
  EXPECT_THAT(found("grub", wide), ElementsAre("a"));
  EXPECT_THAT(found("-boot", wide), ElementsAre("a"));
  EXPECT_EQ(search("boot -grub", wide).total, 500);
}

TEST_P(SearchIndexContract, NothingIsFoundOutsideTheScope) {
  write("a", "grub one", "c1");
  write("b", "grub two", "c2");
  write("x", "grub three", "c1", "other");
  EXPECT_THAT(found("grub"), ElementsAre("a"));
  EXPECT_THAT(found("grub", scope({"c1", "c2"})), ElementsAre("b", "a"));
  EXPECT_THAT(found("grub", scope({"c1"}, "other")), ElementsAre("x"));
  EXPECT_THAT(found("grub", scope({"c2"}, "other")), IsEmpty());
  EXPECT_THAT(found("grub", scope({})), IsEmpty());
  EXPECT_THAT(found("grub", scope({"unknown"})), IsEmpty());
  EXPECT_THAT(found("-nothing in:c2"), IsEmpty());
  EXPECT_EQ(search("grub").total, 1);
}

TEST_P(SearchIndexContract, MessagesOfOneIdInTwoConversationsAreTwo) {
  write("a", "grub one", "c1");
  write("a", "grub two", "c1", "other");
  apply({removal(99, "a", "c1", "other")});
  EXPECT_THAT(found("grub"), ElementsAre("a"));
  EXPECT_THAT(found("grub", scope({"c1"}, "other")), IsEmpty());
}

TEST_P(SearchIndexContract, SuggestionsComeFromTheScopeAlone) {
  write("a", "ubuntu ubuntu unity", "c1");
  write("b", "ubiquity", "c2");
  write("x", "ubports", "c1", "other");
  EXPECT_THAT(suggested("ub"), ElementsAre("ubuntu"));
  EXPECT_THAT(suggested("UB", scope({"c1", "c2"})), UnorderedElementsAre("ubuntu", "ubiquity"));
  EXPECT_THAT(suggested("u"), IsEmpty());
  EXPECT_THAT(suggested("ub un"), IsEmpty());
}

TEST_P(SearchIndexContract, WhatOthersWroteDoesNotMoveWhatIFind) {
  write("long", "grub boot boot boot and many more words that make it long");
  write("short", "grub boot");
  const auto before = found("grub OR boot", scope(), Sort::kRelevance);
  for (int i = 0; i < 30; ++i) write(("o" + std::to_string(i)).c_str(), "boot", "c2");
  for (int i = 0; i < 30; ++i) write(("p" + std::to_string(i)).c_str(), "grub", "c1", "other");
  EXPECT_EQ(found("grub OR boot", scope(), Sort::kRelevance), before);
}

TEST_P(SearchIndexContract, RelevancePutsTheRareWordAndTheShortTextFirst) {
  write("rare", "ndiswrapper");
  write("wordy", "ndiswrapper with a great many other words around it that say nothing of it at all");
  for (int i = 0; i < 20; ++i) write(("c" + std::to_string(i)).c_str(), "kernel kernel");
  const auto names = found("ndiswrapper OR kernel", scope(), Sort::kRelevance);
  EXPECT_EQ(names.front(), "rare");
}

TEST_P(SearchIndexContract, PagesFollowEachOtherWithoutGapsWhateverIsAddedMeanwhile) {
  for (const Sort sort : {Sort::kNewest, Sort::kRelevance}) {
    const std::string word = sort == Sort::kNewest ? "grub" : "boot";
    std::vector<IndexChange> changes;
    for (int i = 0; i < 23; ++i) {
      auto said = message((word + std::to_string(i)).c_str(), word);
      changes.push_back(change(++number_, said));
    }
    apply(std::move(changes));
    SearchRequest request{.scope = scope(), .query = parse_query(word).value(), .sort = sort, .limit = 5};
    std::vector<std::string> names;
    for (int pages = 0; pages < 10; ++pages) {
      const SearchPage page_now = page(request);
      EXPECT_EQ(page_now.total, 23);
      EXPECT_FALSE(page_now.total_is_bound);
      for (const Hit& hit : page_now.items) names.push_back(hit.id.value);
      if (!page_now.next) break;
      request.after = page_now.next;
      write(("late" + std::to_string(number_)).c_str(), word);
    }
    EXPECT_THAT(names, SizeIs(23));
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 23u);
  }
}

TEST_P(SearchIndexContract, TotalsAreExactUpToTheirBound) {
  std::vector<IndexChange> changes;
  for (int i = 0; i < kRankedWindow + 5; ++i) {
    changes.push_back(change(++number_, message(std::to_string(i).c_str(), "grub")));
  }
  apply(std::move(changes));
  for (const Sort sort : {Sort::kNewest, Sort::kRelevance}) {
    SearchRequest request{.scope = scope(), .query = parse_query("grub").value(), .sort = sort, .limit = 100};
    std::set<std::string> names;
    for (;;) {
      const SearchPage page_now = page(request);
      EXPECT_EQ(page_now.total, kRankedWindow);
      EXPECT_TRUE(page_now.total_is_bound);
      for (const Hit& hit : page_now.items) EXPECT_TRUE(names.insert(hit.id.value).second);
      if (!page_now.next) break;
      request.after = page_now.next;
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(kRankedWindow) + 5);
  }
}

TEST_P(SearchIndexContract, AForeignCursorIsRefused) {
  for (const char* cursor :
       {"", "x", "r:", "r:1:2", "n:1:2:3:4", "r:-1:0:0", "n:a:b:c", "r:99999999999999999999:1:1"}) {
    auto answer = wait(
        index().search({.scope = scope(), .query = parse_query("a").value(), .after = std::string(cursor)}, kNoHurry));
    ASSERT_FALSE(answer.has_value()) << cursor;
    EXPECT_EQ(answer.error().fields.front().path, "query.cursor");
  }
}

TEST_P(SearchIndexContract, LimitsAndScopesBeyondTheBoundAreRefused) {
  for (const std::size_t limit : {std::size_t{0}, kMaxHits + 1}) {
    EXPECT_FALSE(wait(index().search({.scope = scope(), .query = parse_query("a").value(), .limit = limit}, kNoHurry))
                     .has_value());
  }
  SearchScope wide = scope();
  wide.conversations.assign(kMaxScope + 1, ConversationId("c1"));
  EXPECT_FALSE(wait(index().search({.scope = wide, .query = parse_query("a").value()}, kNoHurry)).has_value());
  EXPECT_FALSE(wait(index().suggest({.scope = wide, .prefix = "ab"}, kNoHurry)).has_value());
}

TEST_P(SearchIndexContract, AHitCarriesWhereItIsAndAnEscapedHighlight) {
  auto said = message("a", "<b>Servers</b> & co");
  said.seq = 7;
  apply({change(1, said, "c9")});
  const SearchPage hits = search("server", scope({"c9"}));
  ASSERT_THAT(hits.items, SizeIs(1));
  EXPECT_EQ(hits.items[0].conversation, ConversationId("c9"));
  EXPECT_EQ(hits.items[0].seq, 7);
  EXPECT_EQ(hits.items[0].highlight, "&lt;b&gt;<em>Servers</em>&lt;/b&gt; &amp; co");
}

TEST_P(SearchIndexContract, IdsOfMessagesComeBackAsTheyWere) {
  const std::vector<std::string> ids{"0190f5fe-7c00-7a00-8aa0-000000000001", "x", "fifteen-letters",
                                     "sixteen-letters!"};
  std::vector<IndexChange> changes;
  for (const std::string& id : ids) {
    auto said = message("any", "grub");
    said.id = MessageId(id);
    changes.push_back(change(++number_, said));
  }
  apply(std::move(changes));
  std::vector<std::string> found_ids;
  for (const Hit& hit : search("grub").items) found_ids.push_back(hit.id.value);
  EXPECT_THAT(found_ids, ::testing::UnorderedElementsAreArray(ids));
}

TEST_P(SearchIndexContract, TheOffsetIsKeptWithTheRowsAndNeverGoesBack) {
  apply({change(1, message("a", "grub"))}, 42);
  apply({}, 40);
  EXPECT_EQ(search("grub").indexed_through.value, 42);
  under_test_->reopen();
  EXPECT_EQ(wait(index().indexed_through(kNoHurry)).value().value, 42);
  EXPECT_THAT(found("grub"), ElementsAre("a"));
}

TEST_P(SearchIndexContract, ManyMessagesOfOneSecondAreAllKept) {
  auto said = message("a", "grub");
  std::vector<IndexChange> changes;
  for (int i = 0; i < 300; ++i) {
    said.id = id_of(std::to_string(i));
    changes.push_back(change(++number_, said));
  }
  apply(std::move(changes));
  EXPECT_EQ(count(), 300);
  EXPECT_EQ(search("grub").total, 300);
}

}  // namespace
}  // namespace parley::search::testing
