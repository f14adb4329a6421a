#include "media/stores/mongo_account.h"

#include "media/stores/mongo_rows.h"

namespace parley::media::mongodb {

using mongo::Document;
using mongo::make_document;

Account::Account(mongo::Database& db, const TenantId& tenant, const UserId& user)
    : db_(db), tenant_(tenant.value), user_(tenant.value + kUsageKeySeparator + user.value) {
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

}  // namespace parley::media::mongodb
