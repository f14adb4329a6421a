#include "media/quota_account.h"

#include <algorithm>
#include <string>

namespace parley::media {

namespace {

// Where there is no limit: more than any disk, and so little that sums of it do not run over.
constexpr std::uint64_t kUnlimitedBytes = std::uint64_t{1} << 60;

Result<> over_quota(const char* whose) {
  return fail(ErrorKind::kNoRoom, "quota_exceeded",
              std::string("There is not that much room left in the quota of the ") + whose + ".");
}

}  // namespace

std::uint64_t QuotaAccount::Counts::room(std::uint64_t limit) const {
  const std::uint64_t most = limit == 0 ? kUnlimitedBytes : std::min(limit, kUnlimitedBytes);
  const auto taken = static_cast<std::uint64_t>(stored + reserved);
  return most > taken ? most - taken : 0;
}

UsageCount QuotaAccount::Counts::count(std::uint64_t limit) const {
  return {static_cast<std::uint64_t>(stored), static_cast<std::uint64_t>(reserved), static_cast<std::uint64_t>(files),
          limit};
}

std::uint64_t QuotaAccount::room(const QuotaLimits& limits) const {
  return std::min(user_counts_.room(limits.per_user), tenant_counts_.room(limits.per_tenant));
}

Result<> QuotaAccount::expect_room(const QuotaLimits& limits, std::uint64_t bytes) const {
  if (bytes == 0) return {};  // over the quota already, what needs no room still goes on
  if (bytes > user_counts_.room(limits.per_user)) return over_quota("user");
  if (bytes > tenant_counts_.room(limits.per_tenant)) return over_quota("tenant");
  return {};
}

void QuotaAccount::reserve(std::uint64_t bytes) {
  user_counts_.reserved += static_cast<std::int64_t>(bytes);
  tenant_counts_.reserved += static_cast<std::int64_t>(bytes);
}

void QuotaAccount::give_back(std::uint64_t bytes) {
  user_counts_.reserved -= static_cast<std::int64_t>(bytes);
  tenant_counts_.reserved -= static_cast<std::int64_t>(bytes);
}

void QuotaAccount::add_file(std::uint64_t bytes) {
  for (Counts* counts : {&user_counts_, &tenant_counts_}) {
    counts->stored += static_cast<std::int64_t>(bytes);
    counts->files += 1;
  }
}

void QuotaAccount::remove_file(std::uint64_t bytes) {
  for (Counts* counts : {&user_counts_, &tenant_counts_}) {
    counts->stored -= static_cast<std::int64_t>(bytes);
    counts->files -= 1;
  }
}

Usage QuotaAccount::usage(const QuotaLimits& limits) const {
  return {user_counts_.count(limits.per_user), tenant_counts_.count(limits.per_tenant)};
}

}  // namespace parley::media
