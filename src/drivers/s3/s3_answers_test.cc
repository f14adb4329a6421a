#include "drivers/s3/s3_answers.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace parley::s3 {
namespace {

TEST(S3Answers, AListOfObjectsIsRead) {
  const auto list = parse_object_list(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><IsTruncated>true</IsTruncated>
<NextContinuationToken>a/b==</NextContinuationToken>
<Contents><Key>files/a&amp;b</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>"x"</ETag><Size>5</Size></Contents>
<Contents><Key>files/c</Key><LastModified>2026-01-02T03:04:06Z</LastModified><Size>0</Size></Contents></ListBucketResult>)");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->objects.size(), 2u);
  EXPECT_EQ(list->objects[0].key, "files/a&b");
  EXPECT_EQ(list->objects[0].size, 5u);
  EXPECT_EQ(list->objects[0].modified_at, *parse_rfc3339("2026-01-02T03:04:05Z"));
  EXPECT_EQ(list->next, "a/b==");
}

TEST(S3Answers, WhatIsNoListIsRefused) {
  for (const char* xml :
       {"", "<", "not xml", "<html></html>", "{}", "<ListBucketResult><Contents></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size>"
        "<LastModified>2026-01-02T03:04:06Z</LastModified></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>1</Size><LastModified>x</LastModified></Contents>"
        "</ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>1"}) {
    EXPECT_FALSE(parse_object_list(xml)) << xml;
  }
}

TEST(S3Answers, EntitiesOfADocumentsOwnStayUnresolved) {
  const auto list = parse_object_list(
      "<!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'>]><ListBucketResult><Contents><Key>&a;&a;</Key><Size>1</Size>"
      "<LastModified>2026-01-02T03:04:06Z</LastModified></Contents></ListBucketResult>");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->objects[0].key, "&a;&a;");
}

TEST(S3Answers, MultipartUploadsAreRead) {
  const auto list = parse_multipart_list(
      "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
      "<NextUploadIdMarker>7</NextUploadIdMarker><Upload><Key>k</Key><UploadId>7</UploadId>"
      "<Initiated>2026-01-02T03:04:06Z</Initiated></Upload></ListMultipartUploadsResult>");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->uploads.size(), 1u);
  EXPECT_EQ(list->uploads[0].id, "7");
  EXPECT_TRUE(list->has_more);
  EXPECT_EQ(list->next_key, "k");
  EXPECT_FALSE(parse_multipart_list("<ListMultipartUploadsResult><Upload/></ListMultipartUploadsResult>"));
  EXPECT_EQ(parse_upload_id("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
            "u");
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult/>"));
}

TEST(S3Answers, ErrorsAreFoundInAnySuccess) {
  EXPECT_EQ(error_code("<?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code></Error>"), "SlowDown");
  EXPECT_EQ(error_code("   \n <Error><Code>InternalError</Code></Error>"), "InternalError");
  EXPECT_EQ(error_code("<CompleteMultipartUploadResult/>"), "");
  EXPECT_EQ(error_code(""), "");
  EXPECT_EQ(parse_copied_etag("<CopyPartResult><ETag>&quot;e&quot;</ETag></CopyPartResult>"), "\"e\"");
  EXPECT_FALSE(parse_copied_etag("<CopyPartResult></CopyPartResult>"));
  EXPECT_FALSE(parse_copied_etag("<Error><Code>InternalError</Code></Error>"));
}

TEST(S3Answers, OfADeletionTheFirstFailureIsTold) {
  EXPECT_EQ(first_failed_deletion("<DeleteResult/>"), "");
  EXPECT_EQ(first_failed_deletion("<DeleteResult><Error><Key>k</Key><Code>NoSuchKey</Code></Error></DeleteResult>"),
            "");
  EXPECT_EQ(first_failed_deletion("<DeleteResult><Error><Key>k</Key><Code>SlowDown</Code></Error></DeleteResult>"),
            "SlowDown");
  EXPECT_FALSE(first_failed_deletion("<html/>"));
}

TEST(S3Answers, WhatWeSayIsEscaped) {
  const std::vector<std::string> keys{"a<b", "c&d"};
  EXPECT_EQ(delete_request(keys),
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&lt;b</Key></Object>"
            "<Object><Key>c&amp;d</Key></Object><Quiet>true</Quiet></Delete>");
  const std::vector<std::string> etags{"\"1\"", "\"2\""};
  EXPECT_EQ(
      complete_request(etags),
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>"
      "<ETag>\"1\"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>\"2\"</ETag></Part>"
      "</CompleteMultipartUpload>");
}

}  // namespace
}  // namespace parley::s3
