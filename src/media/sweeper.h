// Sweeper: what nobody waits for in media. Uploads of tus that are whole but were never finished are passed on, for
// their clients were told that all is there; uploads that expired, or whose process is gone, are forgotten and their
// bytes removed; the bytes of deleted files go after their grace; now and then the objects are held against the store:
// what belongs to nobody goes, and a file whose object is missing is told of, never dropped. In small steps; one item
// that fails stops no other, and a store that fails is asked less often. Lives on one loop; all is called there.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/task_group.h"
#include "media/blob_store.h"
#include "media/media_store.h"
#include "media/object_audit.h"
#include "telemetry/metrics.h"

namespace parley::media {

class Sweeper {
 public:
  struct Settings {
    std::chrono::milliseconds interval = std::chrono::minutes(1);  // more or less, up to a tenth
    std::chrono::milliseconds step_timeout = std::chrono::seconds(30);
    // A whole upload lives so long on, whenever half of that is left; until it was passed on for so long in vain.
    std::chrono::milliseconds whole_uploads_kept = std::chrono::hours(2);
    std::chrono::milliseconds whole_uploads_tried = std::chrono::days(7);
    std::chrono::milliseconds deleted_files_kept = std::chrono::hours(24);
    // Whole uploads that began before this are of a process that is gone; none: those from before the sweeper was made.
    std::optional<WallTime> process_began = std::nullopt;
    // Other instances write the store too: a whole upload that is not ours may be under way in one of them, so it is
    // forgotten when it expires, and not before.
    bool shared = false;
    std::size_t at_once = 200;
    std::size_t failures_in_a_row = 5;                           // of single items: then it is the store that fails
    std::chrono::milliseconds safe_age = std::chrono::hours(1);  // of an orphan, and before the first comparison
    std::chrono::milliseconds compare_every = std::chrono::hours(24);
  };
  // All must outlive the sweeper.
  Sweeper(EventLoop& loop, MediaStore& store, BlobStore& blobs, const Clock& clock, Random& random, Metrics& metrics,
          Settings settings);

  // Where an upload goes that is to be finished: it is asked for again with each round until it is. Must not block; set
  // before start().
  std::function<void(Upload)> on_whole;

  void start();
  // Nothing is begun any more; calls `closed` once the step under way has ended.
  void close(std::move_only_function<void()> closed);

  // One round, of which start() makes one after the other. Whether everything was done.
  Task<bool> sweep();
  // How long from one round to the next, as the last ones went.
  std::chrono::milliseconds pause();

 private:
  using Forget = Task<Result<std::vector<FileId>>> (Sweeper::*)();
  Task<> run_once();
  Task<bool> pass_on_whole();
  Task<Result<>> put_off(const Upload& upload);
  // Forgets, a batch at a time, and removes the objects; what stays behind is found as an orphan.
  Task<bool> forget_uploads(Forget forget, Counter& counter);
  Task<Result<std::vector<FileId>>> forget_interrupted();
  Task<Result<std::vector<FileId>>> forget_expired();
  Task<bool> purge_deleted();
  Task<bool> compare();
  Task<bool> remove_orphans(const ObjectReport& report);
  void tell_of(const ObjectReport& report);
  // Those that were removed; fewer when some, or the store as a whole, failed.
  Task<std::vector<FileId>> remove(const std::vector<FileId>& ids);
  void failed(std::string_view step, const Error& error);
  SteadyTime step_deadline() const { return clock_.steady_now() + settings_.step_timeout; }
  Counter& swept(const char* what);

  EventLoop& loop_;
  MediaStore& store_;
  BlobStore& blobs_;
  const Clock& clock_;
  Random& random_;
  Metrics& metrics_;
  const Settings settings_;
  const WallTime process_began_;
  ObjectAudit audit_;
  Counter& expired_;
  Counter& interrupted_;
  Counter& deleted_;
  Counter& orphans_;
  Counter& failures_;
  Gauge& orphans_left_;
  Gauge& faults_;
  bool interrupted_done_;
  SteadyTime next_comparison_;
  unsigned rounds_failed_ = 0;  // in a row
  bool closing_ = false;
  std::optional<Deadline> next_;
  TaskGroup tasks_;
};

}  // namespace parley::media
