#include "drivers/mongo/lease.h"

namespace parley::mongo {

Lease::Lease(std::string collection, std::string name, std::string holder, std::chrono::milliseconds lapses_after)
    : collection_(std::move(collection)),
      name_(std::move(name)),
      holder_(std::move(holder)),
      lapses_after_(lapses_after) {}

std::optional<std::int64_t> Lease::hold(Database& database, SteadyTime now) {
  if (held_) {
    const auto renewed =
        database.update_one(collection_.c_str(), make_document("_id", name_, "holder", holder_, "token", *held_),
                            make_document("$inc", make_document("beat", 1)));
    if (renewed.matched > 0) return held_;
    held_.reset();
  }
  auto present = database.find_one(collection_.c_str(), by_name());
  if (!present) {
    try {
      database.insert(collection_.c_str(), make_document("_id", name_, "holder", "", "token", 0, "beat", 0));
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::kDuplicateKey) throw;  // else another process was first
    }
    return take(database, 0, 0);
  }
  const View lease = present->view();
  const std::int64_t token = lease.integer("token");
  const std::int64_t beat = lease.integer("beat");
  if (lease.text("holder").empty()) return take(database, token, beat);
  if (token != seen_token_ || beat != seen_beat_) {
    seen_token_ = token;
    seen_beat_ = beat;
    seen_since_ = now;
    return std::nullopt;
  }
  if (now - seen_since_ < lapses_after_) return std::nullopt;
  return take(database, token, beat);
}

// Only as it was seen: of several who find it lapsed, one takes it.
std::optional<std::int64_t> Lease::take(Database& database, std::int64_t token, std::int64_t beat) {
  const auto taken = database.update_one(
      collection_.c_str(), make_document("_id", name_, "token", token, "beat", beat),
      make_document("$set", make_document("holder", holder_), "$inc", make_document("token", 1, "beat", 1)));
  if (taken.matched == 0) return std::nullopt;
  held_ = token + 1;
  return held_;
}

void Lease::release(Database& database) {
  if (!held_) return;
  database.update_one(collection_.c_str(), make_document("_id", name_, "holder", holder_, "token", *held_),
                      make_document("$set", make_document("holder", "")));
  held_.reset();
}

}  // namespace parley::mongo
