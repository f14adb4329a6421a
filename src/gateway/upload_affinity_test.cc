#include "gateway/upload_affinity.h"

#include <gtest/gtest.h>

namespace parley::gateway {
namespace {

std::optional<std::uint64_t> of(std::string_view target) {
  http::Request request;
  request.set_target(target);
  return upload_affinity(request);
}

TEST(UploadAffinity, IsTheSameForAllRequestsAboutAnUpload) {
  const auto one = of("/tus/0193a1b2-0000-7000-8000-000000000001");
  ASSERT_TRUE(one.has_value());
  for (const char* target :
       {"/upload/0193a1b2-0000-7000-8000-000000000001", "/upload/chunk/0193a1b2-0000-7000-8000-000000000001?index=3",
        "/upload/complete/0193a1b2-0000-7000-8000-000000000001",
        "/upload/0193a1b2-0000-7000-8000-000000000001/progress"}) {
    EXPECT_EQ(of(target), one) << target;
  }
  EXPECT_NE(of("/tus/0193a1b2-0000-7000-8000-000000000002"), one);
}

TEST(UploadAffinity, IsNoneForWhatNamesNoUpload) {
  for (const char* target : {"/upload", "/upload/", "/upload/chunk", "/upload/chunk/", "/tus", "/tus/", "/files/a",
                             "/download/a", "/uploads/a", "/"}) {
    EXPECT_FALSE(of(target).has_value()) << target;
  }
}

}  // namespace
}  // namespace parley::gateway
