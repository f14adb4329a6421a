// FakeS3: an S3 in memory, behind a real server on a port of its own: one bucket, path style. Knows what S3Client asks,
// and answers something else where the test says so. The test's thread makes and destroys it.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "http/server.h"
#include "http/service.h"

namespace parley::s3::testing {

class FakeS3 final : public http::Service {
 public:
  static constexpr std::string_view kBucket = "bucket";
  FakeS3();
  ~FakeS3() override;

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  // Asked before each request: what to answer in its place. Called under a lock, on any loop of its own.
  using Fault = std::function<std::optional<http::Response>(const http::Request& request)>;
  void set_fault(Fault fault);
  // The first `times` requests of that method are answered so.
  void fail_first(int times, std::string method, int status, std::string code);

  // What objects and multipart uploads say they are of; else of now.
  void set_time(WallTime time);

  std::map<std::string, std::string> objects() const;
  void put(std::string key, std::string bytes);
  std::size_t multipart_uploads() const;
  std::vector<std::string> requests() const;  // "PUT /bucket/key?query"
  std::size_t count(const std::string& method) const;

  Task<http::Response> serve(http::Request& request) override;

 private:
  struct Asked {
    std::string method, key;
    std::map<std::string, std::string> query;
    std::string range, copy_source, copy_range;
    bool if_absent = false;
    std::string body;
  };
  struct Multipart {
    std::string key;
    std::map<int, std::string> parts;
  };
  http::Response answer(const Asked& asked);
  http::Response get(const Asked& asked);
  http::Response put_object(const Asked& asked);
  http::Response put_part(const Asked& asked, const std::string& bytes);
  http::Response list(const Asked& asked);
  http::Response list_multiparts();
  std::string time() const;
  http::Response delete_many(const Asked& asked);
  http::Response complete(const Asked& asked);
  std::optional<std::string> copied(const Asked& asked) const;

  mutable std::mutex mutex_;
  Fault fault_;
  std::optional<WallTime> time_;
  std::map<std::string, std::string> objects_;
  std::map<std::string, Multipart> multiparts_;
  std::vector<std::string> requests_;
  int next_id_ = 0;
  EventLoops loops_{1};
  std::unique_ptr<http::Server> server_;
};

http::Response s3_error(int status, const std::string& code);

}  // namespace parley::s3::testing
