#include "app/move_messages.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "app/mongo_engine.h"
#include "messaging/stores/mongo_transfer.h"
#include "messaging/stores/sqlite_messaging_store.h"
#include "messaging/stores/sqlite_transfer.h"
#include "messaging/transfer/store_comparison.h"
#include "messaging/transfer/store_copy.h"

namespace parley::app {

using messaging::MongoTransfer;
using messaging::SqliteTransfer;
namespace transfer = messaging::transfer;

namespace {

// Now and then a line, so that a long move is seen to go on.
class Ticker {
 public:
  bool is_due() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return false;
    next_ = now + std::chrono::seconds(2);
    return true;
  }

 private:
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::seconds(2);
};

std::string text_of(const transfer::CopyCounts& counts) {
  return fmt::format("{} conversations, {} of them new or changed; written: {} messages, {} members, {} users, {} keys",
                     counts.conversations, counts.changed_conversations, counts.messages, counts.members, counts.users,
                     counts.requests);
}

std::string text_of(const transfer::StoreTotals& totals) {
  return fmt::format(
      "{} conversations, {} members, {} messages, {} older versions, {} reactions, {} users, {} keys; checksum {}",
      totals.conversations, totals.members, totals.messages, totals.versions, totals.reactions, totals.users,
      totals.requests, totals.checksum.hex());
}

}  // namespace

std::unexpected<Error> source_changed() {
  return fail(ErrorKind::kConflict, "source_changed",
              "The source was written to meanwhile: a server still runs on it. Stop it, and run this again.");
}

Result<std::unique_ptr<MoveOfMessages>> MoveOfMessages::open(const Settings& settings, MoveSides sides) {
  auto made = std::unique_ptr<MoveOfMessages>(new MoveOfMessages);
  const auto folder = settings.serve.data_dir / "messaging";
  const MovePlaces at{folder, mongo_connection_of_a_move(settings.mongodb), made->clock_, made->random_};
  // The source first: without one, no target is made.
  std::error_code unknown;
  if (sides.to_engines && !std::filesystem::exists(folder / messaging::kMessagingDatabase, unknown)) return nullptr;
  auto source = open_move_source<SqliteTransfer, MongoTransfer>(sides, at, made->source_);
  if (!source && source.error().code == "not_our_database") return nullptr;
  if (!source) return fail(std::move(source.error()));
  auto target = open_move_target<SqliteTransfer, MongoTransfer>(sides, at, made->target_);
  if (!target) return fail(std::move(target.error()));
  const auto end = made->source_end();
  if (!end) return fail(end.error());
  made->began_at_ = *end;
  return made;
}

Result<std::int64_t> MoveOfMessages::source_end() {
  const auto last = source_->last_event();
  if (!last) return fail(last.error());
  return *last ? (*last)->event.offset.value : 0;
}

Result<bool> MoveOfMessages::is_finished() {
  const auto mark = target_->mark();
  if (!mark) return fail(mark.error());
  return *mark && (*mark)->is_done();
}

Result<> MoveOfMessages::copy() {
  if (auto claimed = transfer::claim(*source_, *target_); !claimed) return claimed;
  Ticker ticker;
  const auto counts = transfer::copy(*source_, *target_, [&ticker](const transfer::CopyCounts& now) {
    if (ticker.is_due()) std::fprintf(stderr, "messaging: %s\n", text_of(now).c_str());
  });
  if (!counts) return fail(counts.error());
  std::printf("messaging: copied: %s\n", text_of(*counts).c_str());
  return {};
}

Result<bool> MoveOfMessages::verify() {
  Ticker ticker;
  const auto compared = transfer::compare(*source_, *target_, [&ticker](const transfer::StoreTotals& now) {
    if (ticker.is_due()) std::fprintf(stderr, "messaging: compared %s\n", text_of(now).c_str());
  });
  if (!compared) return fail(compared.error());
  std::printf("messaging: source: %s\n", text_of(compared->source).c_str());
  std::printf("messaging: target: %s\n", text_of(compared->target).c_str());
  for (const std::string& difference : compared->differences) std::printf("difference: %s\n", difference.c_str());
  const auto shown = static_cast<std::int64_t>(compared->differences.size());
  if (compared->differing > shown) {
    std::printf("difference: and %lld more\n", static_cast<long long>(compared->differing - shown));
  }
  return compared->equal();
}

Result<> MoveOfMessages::expect_unchanged() {
  const auto end = source_end();
  if (!end) return fail(end.error());
  if (*end != began_at_) return source_changed();
  return {};
}

Result<> MoveOfMessages::finish() {
  const auto last = source_->last_event();
  if (!last) return fail(last.error());
  if ((*last ? (*last)->event.offset.value : 0) != began_at_) return source_changed();
  return target_->finish(*last);
}

}  // namespace parley::app
