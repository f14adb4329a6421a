#include "gateway/testing/shared_answers_contract.h"

#include <future>

namespace parley::gateway::testing {
namespace {

TEST_P(SharedAnswersContract, TheFirstWhoLooksIsToAskAndTheNextWaits) {
  const std::string token = token_of(find(one(), standing(5, 3)));
  EXPECT_FALSE(token.empty());
  EXPECT_TRUE(is_wait(find(other(), standing(5, 3))));
  EXPECT_TRUE(is_wait(find(one(), standing(5, 3))));
  EXPECT_FALSE(token_of(find(other(), standing(5, 3), "another")).empty());
}

TEST_P(SharedAnswersContract, WhatIsPublishedIsFoundAsItWas) {
  const std::string token = token_of(find(one(), standing(5, 3)));
  SharedAnswer published = answer(std::string("a\0\r\nb", 5), 5);
  published.age = std::chrono::milliseconds(1'500);
  publish(one(), token, published);
  const auto found = find(other(), standing(5, 3));
  const auto* const got = std::get_if<SharedAnswer>(&found);
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(got->body, published.body);
  EXPECT_EQ(got->content_type, "application/json");
  EXPECT_EQ(got->cache_control, "no-store");
  EXPECT_EQ(got->instance, "i");
  EXPECT_EQ(got->number, 5);
  EXPECT_GE(got->age, std::chrono::milliseconds(1'500));
  EXPECT_LT(got->age, std::chrono::seconds(30));
  EXPECT_EQ(body_of(find(other(), standing(5, 3), "another")), "(none)");
}

TEST_P(SharedAnswersContract, AnAnswerFromBeforeTheTenantsLastChangeIsNotGiven) {
  publish(one(), "", answer("old", 5));
  EXPECT_EQ(body_of(find(other(), standing(9, 5))), "old");
  EXPECT_FALSE(token_of(find(other(), standing(9, 6))).empty());
  EXPECT_EQ(body_of(find(one(), standing(5, 5))), "old");
}

TEST_P(SharedAnswersContract, AnAnswerOfANewerNumberServesThoseWhoKnowLess) {
  publish(one(), "", answer("new", 50));
  EXPECT_EQ(body_of(find(other(), standing(5, 3))), "new");
}

TEST_P(SharedAnswersContract, NumbersOfAnotherInstanceMeanNothing) {
  publish(one(), "", answer("of i", 50, "i"));
  EXPECT_FALSE(token_of(find(other(), standing(5, 3, "j"))).empty());
  EXPECT_FALSE(token_of(find(one(), standing(5, 3, "i"), "fresh")).empty());
  EXPECT_FALSE(token_of(find(other(), standing(5, 3, "j"), "fresh")).empty());
  publish(other(), "", answer("of j", 4, "j"));
  EXPECT_EQ(body_of(find(one(), standing(5, 3, "j"))), "of j");
  EXPECT_EQ(body_of(find(one(), standing(5, 3, "i"))), "(none)");
}

TEST_P(SharedAnswersContract, WhoKnowsOfALaterChangeDoesNotWaitForAnOlderQuestion) {
  const std::string early = token_of(find(one(), standing(5, 3)));
  EXPECT_TRUE(is_wait(find(other(), standing(9, 5))));
  const std::string late = token_of(find(other(), standing(9, 6)));
  EXPECT_FALSE(late.empty());
  EXPECT_NE(late, early);
  publish(one(), early, answer("early", 5));
  EXPECT_TRUE(is_wait(find(one(), standing(9, 6))));  // the later one is still asking
  publish(other(), late, answer("late", 9));
  EXPECT_EQ(body_of(find(one(), standing(9, 6))), "late");
}

TEST_P(SharedAnswersContract, AnOlderAnswerNeverTakesThePlaceOfANewerOne) {
  publish(one(), "", answer("new", 9));
  publish(other(), "", answer("old", 5));
  EXPECT_EQ(body_of(find(one(), standing(9, 3))), "new");
  publish(other(), "", answer("same", 9));
  EXPECT_EQ(body_of(find(one(), standing(9, 3))), "same");
}

TEST_P(SharedAnswersContract, WhoGivesUpLeavesTheQuestionToTheNext) {
  const std::string token = token_of(find(one(), standing(5, 3)));
  give_up(other(), "not the token");
  EXPECT_TRUE(is_wait(find(other(), standing(5, 3))));
  give_up(one(), token);
  EXPECT_FALSE(token_of(find(other(), standing(5, 3))).empty());
}

TEST_P(SharedAnswersContract, AnAnswerThatIsOlderThanItsLifeIsNotKept) {
  SharedAnswer stale = answer("stale", 5);
  stale.age = std::chrono::seconds(60);
  publish(one(), token_of(find(one(), standing(5, 3))), stale, "key", std::chrono::seconds(60));
  EXPECT_FALSE(token_of(find(other(), standing(5, 3))).empty());
}

}  // namespace
}  // namespace parley::gateway::testing
