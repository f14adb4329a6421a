#include "media/uploads_under_way.h"

#include <algorithm>

namespace parley::media {

// A request's hold on a run of bytes.
struct UploadsUnderWay::Claim {
  Claim(std::uint64_t n, const Wanted& wanted)
      : number(n), range(wanted.range), gives_way(wanted.gives_way), loop(EventLoop::current()), body(wanted.body) {}

  const std::uint64_t number;  // in the order of coming
  const ByteRange range;
  const bool gives_way;
  EventLoop& loop;
  http::Body* body;  // used on the loop alone; null once the request has let go
  std::atomic<Interruption> interruption{Interruption::kNone};
  std::atomic<std::uint64_t> unrecorded{0};

  bool overlaps(const ByteRange& other) const { return range.first < other.end && other.first < range.end; }
};

// The plain members are guarded by the lock.
struct UploadsUnderWay::Entry {
  explicit Entry(FileId i) : id(std::move(i)) {}

  const FileId id;
  std::vector<std::shared_ptr<Claim>> claims;
  std::vector<OneShotPromise<void>> waiting;
  std::shared_ptr<const Digests> front;
  struct Failure {
    TenantId tenant;
    UserId owner;
    Error error;
  };
  std::optional<Failure> failure;
  std::atomic<bool> read_over{false};
  std::atomic<bool> aborted{false};
  std::atomic<std::uint64_t> verified{0};

  bool in_use() const { return !claims.empty() || read_over; }
  bool says_nothing() const { return !in_use() && !front && !failure; }
};

namespace {

void wake(std::vector<OneShotPromise<void>> waiting) {
  for (OneShotPromise<void>& one : waiting) one.deliver({});
}

}  // namespace

std::unexpected<Error> interrupted(Interruption why) {
  if (why == Interruption::kAborted) return not_found("upload");
  return fail(ErrorKind::kConflict, "upload_taken_over", "A later request brings these bytes.");
}

UploadsUnderWay::Turn::~Turn() {
  if (claim_) owner_->leave(*entry_, claim_);
}

Interruption UploadsUnderWay::Turn::interruption() const {
  return claim_->interruption;
}

void UploadsUnderWay::Turn::arrived(std::uint64_t bytes) {
  claim_->unrecorded.fetch_add(bytes, std::memory_order_relaxed);
}

void UploadsUnderWay::Turn::recorded() {
  claim_->unrecorded = 0;
  ++owner_->changes_of(entry_->id);
}

std::shared_ptr<const Digests> UploadsUnderWay::Turn::front() const {
  const std::lock_guard lock(owner_->mutex_);
  return entry_->front;
}

void UploadsUnderWay::Turn::set_front(std::shared_ptr<const Digests> front) {
  const std::lock_guard lock(owner_->mutex_);
  entry_->front = std::move(front);
}

Task<Result<UploadsUnderWay::Turn>> UploadsUnderWay::take_turn(FileId id, Wanted wanted, SteadyTime deadline) {
  std::optional<Turn> turn = enter(id, wanted);
  if (!turn) co_return unavailable("overloaded", "Too many uploads are under way; try again shortly.");
  for (;;) {
    std::optional<OneShotFuture<void>> others = wait_for_others(*turn);
    if (const Interruption why = turn->interruption(); why != Interruption::kNone) co_return interrupted(why);
    if (!others) co_return std::move(*turn);
    if (const auto woken = co_await others->wait(deadline); !woken) {
      co_return unavailable("unavailable", "The request before this one has not let go of the upload yet.");
    }
  }
}

std::optional<UploadsUnderWay::Turn> UploadsUnderWay::enter(const FileId& id, const Wanted& wanted) {
  std::vector<OneShotPromise<void>> waiting;
  std::shared_ptr<Entry> entry;
  std::shared_ptr<Claim> claim;
  {
    const std::lock_guard lock(mutex_);
    entry = touch(id);
    if (!entry) return std::nullopt;
    if (wanted.of_others == Interruption::kAborted) entry->aborted = true;
    for (const std::shared_ptr<Claim>& other : entry->claims) {
      if (!other->gives_way || !other->overlaps(wanted.range)) continue;
      auto none = Interruption::kNone;
      if (!other->interruption.compare_exchange_strong(none, wanted.of_others)) continue;
      other->loop.post([other] {
        if (other->body != nullptr) other->body->interrupt();
      });
    }
    claim = std::make_shared<Claim>(next_number_++, wanted);
    entry->claims.push_back(claim);
    waiting.swap(entry->waiting);
  }
  wake(std::move(waiting));
  return Turn(*this, std::move(entry), std::move(claim));
}

std::optional<OneShotFuture<void>> UploadsUnderWay::wait_for_others(const Turn& turn) {
  const std::lock_guard lock(mutex_);
  const Claim& own = *turn.claim_;
  const bool held = std::ranges::any_of(turn.entry_->claims, [&own](const std::shared_ptr<Claim>& other) {
    return other->number < own.number && other->overlaps(own.range);
  });
  if (!held) return std::nullopt;
  auto [promise, future] = make_one_shot<void>(EventLoop::current());
  turn.entry_->waiting.push_back(std::move(promise));
  return std::move(future);
}

void UploadsUnderWay::leave(Entry& entry, const std::shared_ptr<Claim>& claim) {
  claim->body = nullptr;
  std::vector<OneShotPromise<void>> waiting;
  {
    const std::lock_guard lock(mutex_);
    std::erase(entry.claims, claim);
    ++changes_of(entry.id);
    waiting.swap(entry.waiting);
    const auto found = by_id_.find(entry.id);
    if (found != by_id_.end() && found->second->get() == &entry && entry.says_nothing()) {
      entries_.erase(found->second);  // the turn still has it
      by_id_.erase(found);
    }
  }
  wake(std::move(waiting));
}

UploadsUnderWay::ReadingOver UploadsUnderWay::read_over(const FileId& id) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Entry> entry = touch(id);
  // Without room it is not shown, which is all that is lost.
  if (!entry) entry = std::make_shared<Entry>(id);
  entry->verified = 0;
  entry->aborted = false;  // by one that failed, for the upload was found since
  entry->read_over = true;
  return ReadingOver(std::move(entry));
}

UploadsUnderWay::ReadingOver::~ReadingOver() {
  if (entry_) entry_->read_over = false;
}

void UploadsUnderWay::ReadingOver::advance(std::uint64_t bytes) {
  entry_->verified += bytes;
}

bool UploadsUnderWay::ReadingOver::aborted() const {
  return entry_->aborted;
}

UploadsUnderWay::Standing UploadsUnderWay::standing(const FileId& id) const {
  Standing now;
  const std::lock_guard lock(mutex_);
  now.changes = changes_of(id);
  const std::shared_ptr<Entry> entry = find(id);
  if (!entry) return now;
  for (const std::shared_ptr<Claim>& claim : entry->claims) now.unrecorded += claim->unrecorded;
  now.read_over = entry->read_over;
  now.verified = now.read_over ? entry->verified.load() : 0;
  return now;
}

std::shared_ptr<const Digests> UploadsUnderWay::front(const FileId& id) const {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<Entry> entry = find(id);
  return entry ? entry->front : nullptr;
}

void UploadsUnderWay::forget(const FileId& id) {
  const std::lock_guard lock(mutex_);
  ++changes_of(id);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  Entry& entry = **found->second;
  entry.front = nullptr;
  if (!entry.says_nothing()) return;
  entries_.erase(found->second);
  by_id_.erase(found);
}

void UploadsUnderWay::remember_failure(const Upload& upload, Error error) {
  const std::lock_guard lock(mutex_);
  if (const std::shared_ptr<Entry> entry = touch(upload.id)) {
    entry->failure = {upload.tenant, upload.owner, std::move(error)};
  }
  ++changes_of(upload.id);
}

std::optional<Error> UploadsUnderWay::failure_of(const TenantId& tenant, const UserId& owner, const FileId& id) const {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<Entry> entry = find(id);
  if (!entry || !entry->failure || entry->failure->tenant != tenant || entry->failure->owner != owner) return {};
  return entry->failure->error;
}

std::size_t UploadsUnderWay::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::shared_ptr<UploadsUnderWay::Entry> UploadsUnderWay::find(const FileId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : *found->second;
}

std::shared_ptr<UploadsUnderWay::Entry> UploadsUnderWay::touch(const FileId& id) {
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    entries_.splice(entries_.end(), entries_, found->second);
    return entries_.back();
  }
  if (entries_.size() >= most_ && !make_room()) return nullptr;
  entries_.push_back(std::make_shared<Entry>(id));
  by_id_.emplace(id, std::prev(entries_.end()));
  return entries_.back();
}

bool UploadsUnderWay::make_room() {
  const auto idle = std::ranges::find_if(entries_, [](const auto& entry) { return !entry->in_use(); });
  if (idle == entries_.end()) return false;
  by_id_.erase((*idle)->id);
  entries_.erase(idle);
  return true;
}

}  // namespace parley::media
