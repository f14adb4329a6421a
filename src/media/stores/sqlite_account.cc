#include "media/stores/sqlite_account.h"

#include <algorithm>

namespace parley::media {

namespace {

// Where there is no limit: more than any disk, and so little that sums of it do not run over.
constexpr std::uint64_t kUnlimitedBytes = std::uint64_t{1} << 60;

Result<> over_quota(const char* whose) {
  return fail(ErrorKind::kNoRoom, "quota_exceeded",
              std::string("There is not that much room left in the quota of the ") + whose + ".");
}

}  // namespace

Account::Account(sqlite::Connection& db, const TenantId& tenant, const UserId& user)
    : db_(db), tenant_(tenant), user_(user) {
  if (sqlite::Query row(db,
                        "SELECT stored, reserved, files, uploads, event_number FROM user_usage "
                        "WHERE tenant = ?1 AND user = ?2",
                        tenant.value, user.value);
      row.step()) {
    user_counts_ = {row.integer(0), row.integer(1), row.integer(2)};
    uploads_ = row.integer(3);
    event_number_ = row.integer(4);
  }
  if (sqlite::Query row(db, "SELECT stored, reserved, files FROM tenant_usage WHERE tenant = ?1", tenant.value);
      row.step()) {
    tenant_counts_ = {row.integer(0), row.integer(1), row.integer(2)};
  }
}

std::uint64_t Account::Counts::room(std::uint64_t limit) const {
  const std::uint64_t most = limit == 0 ? kUnlimitedBytes : std::min(limit, kUnlimitedBytes);
  const auto taken = static_cast<std::uint64_t>(stored + reserved);
  return most > taken ? most - taken : 0;
}

UsageCount Account::Counts::count(std::uint64_t limit) const {
  return {static_cast<std::uint64_t>(stored), static_cast<std::uint64_t>(reserved), static_cast<std::uint64_t>(files),
          limit};
}

std::uint64_t Account::room(const QuotaLimits& limits) const {
  return std::min(user_counts_.room(limits.per_user), tenant_counts_.room(limits.per_tenant));
}

Result<> Account::expect_room(const QuotaLimits& limits, std::uint64_t bytes) const {
  if (bytes == 0) return {};  // over the quota already, what needs no room still goes on
  if (bytes > user_counts_.room(limits.per_user)) return over_quota("user");
  if (bytes > tenant_counts_.room(limits.per_tenant)) return over_quota("tenant");
  return {};
}

void Account::reserve(std::uint64_t bytes) {
  user_counts_.reserved += static_cast<std::int64_t>(bytes);
  tenant_counts_.reserved += static_cast<std::int64_t>(bytes);
}

void Account::give_back(std::uint64_t bytes) {
  user_counts_.reserved -= static_cast<std::int64_t>(bytes);
  tenant_counts_.reserved -= static_cast<std::int64_t>(bytes);
}

void Account::add_file(std::uint64_t bytes) {
  for (Counts* counts : {&user_counts_, &tenant_counts_}) {
    counts->stored += static_cast<std::int64_t>(bytes);
    counts->files += 1;
  }
}

void Account::remove_file(std::uint64_t bytes) {
  for (Counts* counts : {&user_counts_, &tenant_counts_}) {
    counts->stored -= static_cast<std::int64_t>(bytes);
    counts->files -= 1;
  }
}

void Account::save() {
  sqlite::Query(db_,
                "INSERT INTO user_usage(tenant, user, stored, reserved, files, uploads, event_number) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(tenant, user) DO UPDATE SET stored = ?3, "
                "reserved = ?4, files = ?5, uploads = ?6, event_number = ?7",
                tenant_.value, user_.value, user_counts_.stored, user_counts_.reserved, user_counts_.files, uploads_,
                event_number_)
      .run();
  sqlite::Query(db_,
                "INSERT INTO tenant_usage(tenant, stored, reserved, files) VALUES(?1, ?2, ?3, ?4) "
                "ON CONFLICT(tenant) DO UPDATE SET stored = ?2, reserved = ?3, files = ?4",
                tenant_.value, tenant_counts_.stored, tenant_counts_.reserved, tenant_counts_.files)
      .run();
}

Usage Account::usage(const QuotaLimits& limits) const {
  return {user_counts_.count(limits.per_user), tenant_counts_.count(limits.per_tenant)};
}

}  // namespace parley::media
