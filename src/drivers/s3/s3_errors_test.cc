#include "drivers/s3/s3_errors.h"

#include <gtest/gtest.h>

namespace parley::s3 {
namespace {

TEST(S3Errors, OnlyAMissingThingIsNotFound) {
  EXPECT_EQ(error_of({404, "NoSuchKey"}).kind, ErrorKind::kNotFound);
  EXPECT_EQ(error_of({404, "NoSuchUpload"}).kind, ErrorKind::kNotFound);
  EXPECT_EQ(error_of({404, ""}).kind, ErrorKind::kNotFound);  // of HEAD
  EXPECT_EQ(error_of({404, "NoSuchBucket"}).kind, ErrorKind::kUnavailable);
  EXPECT_EQ(error_of({404, "InvalidAccessKeyId"}).kind, ErrorKind::kUnavailable);
  EXPECT_EQ(error_of({403, "InvalidAccessKeyId"}).kind, ErrorKind::kUnavailable);
}

TEST(S3Errors, WhatThePortPromisesComesOut) {
  for (const Refusal refusal : {Refusal{503, "SlowDown"}, Refusal{500, "InternalError"}, Refusal{502, ""},
                                Refusal{403, "SignatureDoesNotMatch"}, Refusal{301, "PermanentRedirect"}}) {
    const Error error = error_of(refusal);
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable) << refusal.status;
    EXPECT_EQ(error.code, "unavailable");
    EXPECT_TRUE(error.retry_after.has_value());
  }
  EXPECT_EQ(error_of({507, ""}).code, "storage_full");
  EXPECT_EQ(error_of({403, "QuotaExceeded"}).kind, ErrorKind::kNoRoom);
  EXPECT_EQ(error_of({412, "PreconditionFailed"}).kind, ErrorKind::kPreconditionFailed);
}

TEST(S3Errors, OnlyWhatPassesIsAskedAgain) {
  for (const Refusal refusal : {Refusal{500, ""}, Refusal{502, ""}, Refusal{503, "SlowDown"}, Refusal{504, ""},
                                Refusal{429, ""}, Refusal{400, "RequestTimeout"}, Refusal{200, "InternalError"}}) {
    EXPECT_TRUE(is_passing(refusal)) << refusal.status;
  }
  for (const Refusal refusal : {Refusal{404, "NoSuchKey"}, Refusal{403, "AccessDenied"}, Refusal{400, "InvalidPart"},
                                Refusal{501, "NotImplemented"}, Refusal{507, ""}, Refusal{412, ""}}) {
    EXPECT_FALSE(is_passing(refusal)) << refusal.status;
  }
}

TEST(S3Errors, NewKeysAreLookedForWhereTheOldOnesWereRefused) {
  EXPECT_TRUE(is_of_credentials({400, "ExpiredToken"}));
  EXPECT_TRUE(is_of_credentials({403, "InvalidAccessKeyId"}));
  EXPECT_FALSE(is_of_credentials({403, "AccessDenied"}));
}

}  // namespace
}  // namespace parley::s3
