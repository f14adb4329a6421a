// Account: the rows of a QuotaAccount, in user_usage and tenant_usage. Loaded and saved within one job of the writer's.
// Throws sqlite::Failure.
#pragma once
#include "drivers/sqlite/connection.h"
#include "media/quota_account.h"

namespace parley::media {

class Account final : public QuotaAccount {
 public:
  // All three must outlive it.
  Account(sqlite::Connection& db, const TenantId& tenant, const UserId& user);
  void save() override;

 private:
  sqlite::Connection& db_;
  const TenantId& tenant_;
  const UserId& user_;
};

}  // namespace parley::media
