// UploadsUnderWay: what this process knows of uploads beyond the store: which requests bring bytes of which run, how
// much has come that is not recorded yet, the digest of what came in order from the front, what is being read over, and
// why an upload failed for good. Owned by UploadEngine; called on any loop. One short lock, held over no wait.
//
// A request takes a turn before it writes. One that comes later for the same bytes takes over: the older one's body is
// interrupted, and the later one waits until the older has let go, so that no byte has two writers.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/one_shot.h"
#include "http/message.h"
#include "media/digests.h"
#include "media/types.h"

namespace parley::media {

enum class Interruption : std::uint8_t { kNone, kTakenOver, kAborted };

// What a request that was interrupted answers: 409 upload_taken_over, or 404.
std::unexpected<Error> interrupted(Interruption why);

class UploadsUnderWay {
  struct Claim;
  struct Entry;

 public:
  // Uploads that are remembered at once; beyond, those that nobody is at work on go, the oldest first.
  explicit UploadsUnderWay(std::size_t most = 10'000) : most_(most) {}

  // Of a request, from when it may write until it has let go. On one loop; movable, goes before what it came from.
  class Turn {
   public:
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();
    // Why the request must stop; kNone: it may go on. A read of its body fails soon, too.
    Interruption interruption() const;
    // Bytes are on their way to the disk; all that were are in the store now, or given up.
    void arrived(std::uint64_t bytes);
    void recorded();
    // Of the bytes from the first on, as many as came in order: null when it is not known.
    std::shared_ptr<const Digests> front() const;
    void set_front(std::shared_ptr<const Digests> front);

   private:
    friend class UploadsUnderWay;
    Turn(UploadsUnderWay& owner, std::shared_ptr<Entry> entry, std::shared_ptr<Claim> claim)
        : owner_(&owner), entry_(std::move(entry)), claim_(std::move(claim)) {}
    UploadsUnderWay* owner_;
    std::shared_ptr<Entry> entry_;
    std::shared_ptr<Claim> claim_;  // null once moved from
  };

  struct Wanted {
    ByteRange range;                                    // that nobody else is to write meanwhile
    http::Body* body = nullptr;                         // to be interrupted; outlives the turn
    Interruption of_others = Interruption::kTakenOver;  // what those who hold the range hear
    bool gives_way = true;                              // to whoever comes later; else that one waits
  };
  // Waits until everybody who came before for the same bytes has let go. conflict upload_taken_over or not_found when
  // it was interrupted itself meanwhile; unavailable at the deadline, or with too many uploads under way.
  Task<Result<Turn>> take_turn(FileId id, Wanted wanted, SteadyTime deadline);

  // While an upload is read over: shows how far, and hears of an abort.
  class ReadingOver {
   public:
    ReadingOver(ReadingOver&&) noexcept = default;
    ReadingOver& operator=(ReadingOver&&) = delete;
    ~ReadingOver();
    void advance(std::uint64_t bytes);
    bool aborted() const;

   private:
    friend class UploadsUnderWay;
    explicit ReadingOver(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
    std::shared_ptr<Entry> entry_;
  };
  ReadingOver read_over(const FileId& id);

  // As it is now; equal ones mean that nothing has changed but, perhaps, in another process.
  struct Standing {
    std::uint64_t unrecorded = 0;  // bytes on their way to the disk
    bool read_over = false;
    std::uint64_t verified = 0;  // bytes read over
    std::uint64_t changes = 0;   // of this one, and perhaps of some others
    bool operator==(const Standing&) const = default;
  };
  Standing standing(const FileId& id) const;
  std::shared_ptr<const Digests> front(const FileId& id) const;

  // It is a file now, or gone.
  void forget(const FileId& id);
  // It is gone because its bytes were not what was announced: who asks again is to hear that.
  void remember_failure(const Upload& upload, Error error);
  std::optional<Error> failure_of(const TenantId& tenant, const UserId& owner, const FileId& id) const;

  std::size_t size() const;

 private:
  using Entries = std::list<std::shared_ptr<Entry>>;  // the one longest unused first

  std::shared_ptr<Entry> find(const FileId& id) const;
  // Locked. Null when there is no room.
  std::shared_ptr<Entry> touch(const FileId& id);
  bool make_room();
  std::optional<Turn> enter(const FileId& id, const Wanted& wanted);
  // What to wait for, while somebody who came before holds the same bytes.
  std::optional<OneShotFuture<void>> wait_for_others(const Turn& turn);
  void leave(Entry& entry, const std::shared_ptr<Claim>& claim);
  std::atomic<std::uint64_t>& changes_of(const FileId& id) const {
    return changes_[std::hash<FileId>()(id) % changes_.size()];
  }

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::uint64_t next_number_ = 1;
  // Counted apart from entries, which come and go between two looks of who watches.
  mutable std::array<std::atomic<std::uint64_t>, 1024> changes_{};
  Entries entries_;
  std::unordered_map<FileId, Entries::iterator> by_id_;
};

}  // namespace parley::media
