#include "media/stores/sqlite_account.h"

namespace parley::media {

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

}  // namespace parley::media
