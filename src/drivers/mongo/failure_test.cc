#include "drivers/mongo/failure.h"

#include <gtest/gtest.h>
#include <mongoc/mongoc.h>

namespace parley::mongo {
namespace {

bson_error_t error_of(std::uint32_t domain, std::uint32_t code, const char* message = "what it said") {
  bson_error_t error;
  bson_set_error(&error, domain, code, "%s", message);
  return error;
}
Document labelled(const char* label) {
  return make_document("ok", 0, "errorLabels", make_array(label));
}

TEST(MongoFailureTest, EachAnswerHasItsKind) {
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_SERVER_SELECTION, 13053), {}).kind(), FailureKind::kUnreachable);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_STREAM, 4), {}).kind(), FailureKind::kUnreachable);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_SERVER, 10107), {}).kind(), FailureKind::kUnreachable);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_SERVER, 50), {}).kind(), FailureKind::kTimeout);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_SERVER, 11000), {}).kind(), FailureKind::kDuplicateKey);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_SERVER, 112), {}).kind(), FailureKind::kConflict);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_SERVER, 14031), {}).kind(), FailureKind::kNoRoom);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_SERVER, 18), {}).kind(), FailureKind::kRefused);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE), {}).kind(),
            FailureKind::kRefused);
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_SERVER, 9), {}).kind(), FailureKind::kOther);
}

TEST(MongoFailureTest, LabelsSayWhatMayBeTriedAgain) {
  const Document transient = labelled("TransientTransactionError");
  EXPECT_TRUE(to_failure(error_of(MONGOC_ERROR_SERVER, 251), transient.view()).is_transient());
  EXPECT_TRUE(to_failure(error_of(MONGOC_ERROR_STREAM, 4), transient.view()).is_transient());
  EXPECT_FALSE(to_failure(error_of(MONGOC_ERROR_SERVER, 9), {}).is_transient());
  const Document unknown = labelled("UnknownTransactionCommitResult");
  EXPECT_EQ(to_failure(error_of(MONGOC_ERROR_STREAM, 4), unknown.view()).kind(), FailureKind::kCommitUnknown);
}

// Begun anew, a group that was committed would be written twice.
TEST(MongoFailureTest, ACommitThatWasInterruptedMayHaveHappened) {
  for (const std::uint32_t domain : {MONGOC_ERROR_SERVER, MONGOC_ERROR_WRITE_CONCERN}) {
    const Failure interrupted = to_failure(error_of(domain, 11601), {});
    EXPECT_TRUE(interrupted.is_transient());
    EXPECT_FALSE(interrupted.was_not_committed());
  }
  const Document transient = labelled("TransientTransactionError");
  EXPECT_TRUE(to_failure(error_of(MONGOC_ERROR_SERVER, 251), transient.view()).was_not_committed());
}

TEST(MongoFailureTest, WriteErrorsOfAnAnswerThatIsWellAreFound) {
  const Document refused = make_document(
      "ok", 1, "writeErrors", make_array(make_document("index", 0, "code", 11000, "errmsg", "E11000 dup key: secret")));
  ASSERT_TRUE(has_write_failure(refused.view()));
  EXPECT_EQ(to_write_failure(refused.view()).kind(), FailureKind::kDuplicateKey);
  EXPECT_EQ(std::string(to_write_failure(refused.view()).what()).find("secret"), std::string::npos);
  const Document late = make_document("ok", 1, "writeConcernError", make_document("code", 64, "errmsg", "timed out"));
  EXPECT_TRUE(has_write_failure(late.view()));
  EXPECT_FALSE(has_write_failure(make_document("ok", 1, "n", 1).view()));
}

TEST(MongoFailureTest, WhoOperatesIsToldWhatIsWrongAndACallerIsNot) {
  const auto told = [](std::uint32_t domain, std::uint32_t code) {
    const Failure failure = to_failure(error_of(domain, code), {});
    EXPECT_EQ(to_error(failure).detail.find("Mongo"), std::string::npos);
    const Error error = to_operator_error(failure);
    EXPECT_EQ(error.kind, code == 50 ? ErrorKind::kTimeout : ErrorKind::kUnavailable);
    return error.detail;
  };
  const std::string cannot_be_reached = "MongoDB at MONGODB_URI cannot be reached";
  EXPECT_TRUE(told(MONGOC_ERROR_SERVER_SELECTION, 13053).starts_with(cannot_be_reached));
  EXPECT_TRUE(told(MONGOC_ERROR_STREAM, 4).starts_with(cannot_be_reached));
  EXPECT_TRUE(told(MONGOC_ERROR_SERVER, 10107).starts_with(cannot_be_reached));
  const std::string refuses = "MongoDB refuses the user or the password of MONGODB_URI";
  EXPECT_TRUE(told(MONGOC_ERROR_SERVER, 18).starts_with(refuses));
  EXPECT_TRUE(told(MONGOC_ERROR_SERVER, 13).starts_with(refuses));
  EXPECT_TRUE(told(MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE).starts_with(refuses));
  EXPECT_EQ(told(MONGOC_ERROR_SERVER, 50), "MongoDB at MONGODB_URI did not answer in time.");
  EXPECT_EQ(told(MONGOC_ERROR_SERVER, 9), "MongoDB at MONGODB_URI does not answer as it should: what it said (9).");
}

TEST(MongoFailureTest, NoAddressLeavesTheDriver) {
  for (const std::uint32_t domain : {MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_STREAM}) {
    const Failure failure = to_failure(error_of(domain, 1, "mongodb://user:password@host:1"), {});
    EXPECT_EQ(std::string(failure.what()).find("host"), std::string::npos);
    const Error error = to_error(failure);
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
    EXPECT_TRUE(error.retry_after);
    EXPECT_EQ(to_operator_error(failure).detail.find("host"), std::string::npos);
  }
}

TEST(MongoFailureTest, CallersLearnWhatPortsPromise) {
  EXPECT_EQ(to_error(Failure(FailureKind::kTimeout, 50, "")).code, "deadline_exceeded");
  EXPECT_EQ(to_error(Failure(FailureKind::kNoRoom, 14031, "")).code, "storage_full");
  EXPECT_EQ(to_error(Failure(FailureKind::kConflict, 112, "")).code, "overloaded");
  EXPECT_EQ(to_error(Failure(FailureKind::kOther, 9, "")).code, "unavailable");
}

}  // namespace
}  // namespace parley::mongo
