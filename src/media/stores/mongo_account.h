// Account: what one user keeps, and the tenant around it, as the quotas count it, in documents of media_user_usage and
// media_tenant_usage. Loaded, changed and saved within one transaction, whose both documents it writes: of two that
// would promise the same room, in whatever process, the later one meets a write conflict and is run again. Throws
// mongo::Failure.
#pragma once
#include <string>

#include "base/result.h"
#include "drivers/mongo/database.h"
#include "media/media_store.h"

namespace parley::media::mongodb {

class Account {
 public:
  Account(mongo::Database& db, const TenantId& tenant, const UserId& user);

  // no_room quota_exceeded unless so many bytes more may be promised or kept.
  Result<> expect_room(const QuotaLimits& limits, std::uint64_t bytes) const;
  // How many that would be, at most.
  std::uint64_t room(const QuotaLimits& limits) const;
  std::int64_t uploads() const { return uploads_; }

  void reserve(std::uint64_t bytes);
  void give_back(std::uint64_t bytes);
  void begin_upload() { ++uploads_; }
  void end_upload() { --uploads_; }
  void add_file(std::uint64_t bytes);
  void remove_file(std::uint64_t bytes);
  std::int64_t next_event_number() { return ++event_number_; }
  void save();

  Usage usage(const QuotaLimits& limits) const;

 private:
  struct Counts {
    std::int64_t stored = 0;
    std::int64_t reserved = 0;
    std::int64_t files = 0;
    UsageCount count(std::uint64_t limit) const;
    std::uint64_t room(std::uint64_t limit) const;
  };
  static Counts counts_of(const std::optional<mongo::Document>& row);
  static mongo::Document fields_of(const Counts& counts);

  mongo::Database& db_;
  const std::string tenant_;
  const std::string user_;  // _id: tenant, U+001F, user; neither has a control character
  Counts user_counts_;
  Counts tenant_counts_;
  std::int64_t uploads_ = 0;
  std::int64_t event_number_ = 0;
};

}  // namespace parley::media::mongodb
