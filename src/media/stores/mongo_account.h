// Account: the documents of a QuotaAccount, in media_user_usage and media_tenant_usage. Loaded, changed and saved
// within one transaction, whose both documents it writes: of two that would promise the same room, in whatever process,
// the later one meets a write conflict and is run again. Throws mongo::Failure.
#pragma once
#include <string>

#include "drivers/mongo/database.h"
#include "media/quota_account.h"

namespace parley::media::mongodb {

// Between tenant and user in the _id of media_user_usage; neither has a control character.
inline constexpr char kUsageKeySeparator = '\x1f';

class Account final : public QuotaAccount {
 public:
  // The database must outlive it.
  Account(mongo::Database& db, const TenantId& tenant, const UserId& user);
  void save() override;

 private:
  static Counts counts_of(const std::optional<mongo::Document>& row);
  static mongo::Document fields_of(const Counts& counts);

  mongo::Database& db_;
  const std::string tenant_;
  const std::string user_;
};

}  // namespace parley::media::mongodb
