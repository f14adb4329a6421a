// The contract that every adapter of SharedAnswers must keep, as a GoogleTest suite. An adapter's test links
// shared_answers_contract.cc and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Redis, SharedAnswersContract, testing::Values(make_redis_answers));
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/event_loop.h"
#include "base/run_on_loop.h"
#include "gateway/shared_answers.h"

namespace parley::gateway::testing {

// An adapter's answers in a place of their own, which goes with it.
class SharedAnswersUnderTest {
 public:
  virtual ~SharedAnswersUnderTest() = default;
  // As one gateway has it; both see the same answers.
  virtual SharedAnswers& one() = 0;
  virtual SharedAnswers& other() = 0;
  // Where the adapter answers.
  virtual EventLoop& loop() = 0;
  // Returns once what was published and given up has come to the store: both return before that.
  virtual void wait_for_told() = 0;
};
// Null: the adapter's engine is not there, and its cases are skipped.
using MakeSharedAnswers = std::unique_ptr<SharedAnswersUnderTest> (*)();

class SharedAnswersContract : public ::testing::TestWithParam<MakeSharedAnswers> {
 protected:
  SharedAnswersContract() : under_test_(GetParam()()) {}
  void SetUp() override {
    if (!under_test_) GTEST_SKIP() << "its engine is not there";
  }
  SharedAnswers& one() { return under_test_->one(); }
  SharedAnswers& other() { return under_test_->other(); }

  static ChangeNumbers::Standing standing(std::int64_t heard, std::int64_t changed, std::string instance = "i") {
    return {std::move(instance), heard, changed};
  }
  static SharedAnswer answer(std::string body, std::int64_t number, std::string instance = "i") {
    return {.body = std::move(body),
            .content_type = "application/json",
            .cache_control = "no-store",
            .instance = std::move(instance),
            .number = number};
  }
  SharedAnswers::Found find(SharedAnswers& by, ChangeNumbers::Standing at, std::string key = "key") {
    return run_on_loop(under_test_->loop(), by.find(std::move(key), std::move(at)));
  }
  void publish(SharedAnswers& by, std::string token, SharedAnswer one_answer, std::string key = "key",
               std::chrono::milliseconds ttl = std::chrono::minutes(1)) {
    on_loop([&] { by.publish(std::move(key), std::move(token), std::move(one_answer), ttl); });
  }
  void give_up(SharedAnswers& by, std::string token, std::string key = "key") {
    on_loop([&] { by.give_up(std::move(key), std::move(token)); });
  }
  // Empty: it falls to nobody here.
  static std::string token_of(const SharedAnswers::Found& found) {
    const auto* const lead = std::get_if<SharedAnswers::Lead>(&found);
    return lead == nullptr ? std::string() : lead->token;
  }
  static std::string body_of(const SharedAnswers::Found& found) {
    const auto* const found_answer = std::get_if<SharedAnswer>(&found);
    return found_answer == nullptr ? std::string("(none)") : found_answer->body;
  }
  static bool is_wait(const SharedAnswers::Found& found) { return std::holds_alternative<SharedAnswers::Wait>(found); }

 private:
  void on_loop(std::function<void()> work) {
    std::promise<void> done;
    under_test_->loop().post([&] {
      work();
      done.set_value();
    });
    done.get_future().get();
    under_test_->wait_for_told();
  }
  std::unique_ptr<SharedAnswersUnderTest> under_test_;
};

}  // namespace parley::gateway::testing
