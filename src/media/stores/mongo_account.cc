#include "media/stores/mongo_account.h"

#include <algorithm>

#include "media/stores/mongo_rows.h"

namespace parley::media::mongodb {

namespace {

using mongo::Document;
using mongo::make_document;

// Where there is no limit: more than any disk, and so little that sums of it do not run over.
constexpr std::uint64_t kUnlimitedBytes = std::uint64_t{1} << 60;

Result<> over_quota(const char* whose) {
  return fail(ErrorKind::kNoRoom, "quota_exceeded",
              std::string("There is not that much room left in the quota of the ") + whose + ".");
}

}  // namespace

Account::Account(mongo::Database& db, const TenantId& tenant, const UserId& user)
    : db_(db), tenant_(tenant.value), user_(tenant.value + "\x1f" + user.value) {
  const auto user_row = db.find_one(kUserUsage, make_document("_id", user_));
  user_counts_ = counts_of(user_row);
  if (user_row) {
    uploads_ = user_row->view().integer("uploads");
    event_number_ = user_row->view().integer("event_number");
  }
  tenant_counts_ = counts_of(db.find_one(kTenantUsage, make_document("_id", tenant_)));
}

Account::Counts Account::counts_of(const std::optional<Document>& row) {
  if (!row) return {};
  const mongo::View view = row->view();
  return {view.integer("stored"), view.integer("reserved"), view.integer("files")};
}

Document Account::fields_of(const Counts& counts) {
  return make_document("stored", counts.stored, "reserved", counts.reserved, "files", counts.files);
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

// As they are in this transaction's snapshot, which the server holds them to; the version makes every save a write,
// though nothing else may have changed.
void Account::save() {
  const Document once_more = make_document("version", 1);
  Document user_fields = fields_of(user_counts_);
  user_fields.add("uploads", uploads_).add("event_number", event_number_);
  db_.update_one(kUserUsage, make_document("_id", user_), make_document("$set", user_fields, "$inc", once_more), true);
  db_.update_one(kTenantUsage, make_document("_id", tenant_),
                 make_document("$set", fields_of(tenant_counts_), "$inc", once_more), true);
}

Usage Account::usage(const QuotaLimits& limits) const {
  return {user_counts_.count(limits.per_user), tenant_counts_.count(limits.per_tenant)};
}

}  // namespace parley::media::mongodb
