// Where the keys to S3 come from: settings, a file that may be replaced at any time, or the endpoint of a role, which
// gives keys that expire. Each is asked at every request, from any loop, and keeps what it learned until that is old;
// what it has is used on while it cannot be renewed. fail: unavailable `no_credentials`, never with a key in it. Made
// and owned by app/; outlives the clients that ask it.
#pragma once
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/blocking.h"
#include "base/clock.h"
#include "drivers/s3/signature_v4.h"
#include "http/upstream.h"

namespace parley::s3 {

using CredentialsNow = std::shared_ptr<const Credentials>;

class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;
  virtual Task<Result<CredentialsNow>> current(SteadyTime deadline) = 0;
  // S3 did not take them: the next to ask gets new ones, if there are any.
  virtual void were_refused() {}
};

class FixedCredentials final : public CredentialsSource {
 public:
  explicit FixedCredentials(Credentials credentials)
      : credentials_(std::make_shared<const Credentials>(std::move(credentials))) {}
  Task<Result<CredentialsNow>> current(SteadyTime) override { co_return credentials_; }

 private:
  const CredentialsNow credentials_;
};

// What was fetched, and when it ends; nothing: it does not, but may be replaced.
struct FetchedCredentials {
  Credentials credentials;
  std::optional<WallTime> expires_at;
};

class RenewedCredentials : public CredentialsSource {
 public:
  explicit RenewedCredentials(const Clock& clock) : clock_(clock) {}
  Task<Result<CredentialsNow>> current(SteadyTime deadline) final;
  void were_refused() final;

 private:
  virtual Task<Result<FetchedCredentials>> fetch(SteadyTime deadline) = 0;
  // What may be used without waiting for anybody; else the caller is to fetch.
  CredentialsNow usable_now();
  void keep(FetchedCredentials fetched);
  // After a failed fetch: what there is, as long as it holds.
  CredentialsNow put_off();

  const Clock& clock_;
  std::mutex mutex_;
  CredentialsNow known_;
  std::optional<WallTime> expires_at_;
  WallTime renew_at_{};
  bool renewing_ = false;
};

// A file as the tools of AWS write it: [profile], aws_access_key_id, aws_secret_access_key, aws_session_token.
class FileCredentials final : public RenewedCredentials {
 public:
  // The pool reads the file; it must outlive this.
  FileCredentials(std::filesystem::path file, std::string profile, BlockingPool& pool, const Clock& clock)
      : RenewedCredentials(clock), file_(std::move(file)), profile_(std::move(profile)), pool_(pool) {}

 private:
  Task<Result<FetchedCredentials>> fetch(SteadyTime deadline) override;
  const std::filesystem::path file_;
  const std::string profile_;
  BlockingPool& pool_;
};

// A role of the container (a URI that answers JSON, with a token from a file where the platform wants one) or of the
// machine (a path that begins with /latest/meta-data/: a session token is asked for first, and the name of the role
// where the path ends before it).
class RoleCredentials final : public RenewedCredentials {
 public:
  RoleCredentials(std::unique_ptr<http::Upstream> endpoint, std::string target, std::filesystem::path token_file,
                  BlockingPool& pool, const Clock& clock)
      : RenewedCredentials(clock),
        endpoint_(std::move(endpoint)),
        target_(std::move(target)),
        token_file_(std::move(token_file)),
        pool_(pool) {}

 private:
  Task<Result<FetchedCredentials>> fetch(SteadyTime deadline) override;
  Task<Result<std::string>> ask(http::Method method, std::string target, NamedValue field, SteadyTime deadline);
  Task<Result<NamedValue>> proof(SteadyTime deadline);

  const std::unique_ptr<http::Upstream> endpoint_;
  const std::string target_;
  const std::filesystem::path token_file_;
  BlockingPool& pool_;
};

// Pure; nullopt when there are none in it.
std::optional<Credentials> parse_credentials_file(std::string_view text, std::string_view profile);
std::optional<FetchedCredentials> parse_role_answer(std::string_view json);

}  // namespace parley::s3
