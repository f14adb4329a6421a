// UploadEngine: uploads from their first byte to the file: who may write when, what came recorded and checked, the
// whole verified and stored. One for the role, called on any loop; its background work is on the loop it is started
// with. Made and owned by app/. Its answers fail as those of the stores do, and with the codes that api/media.yaml
// lists.
//
// What is durable when (docs/adr/0019 says why): what a request was answered for is on disk and recorded; of a long
// request that is cut, all that came, or after a crash what the last checkpoint recorded.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/upload_finisher.h"
#include "media/upload_parts.h"
#include "media/upload_run.h"
#include "media/uploads_under_way.h"
#include "tenancy/caller.h"

namespace parley::media {

struct NewUpload {
  TenantId tenant;
  UserId owner;
  UploadKind kind = UploadKind::kWhole;
  std::string filename;  // as the client sent it
  std::string declared_type;
  std::optional<std::uint64_t> size;
  std::optional<Sha256> expected_sha256;
  std::string tus_metadata;
  std::optional<std::uint64_t> reserved;  // bytes; the size unless said
};

class UploadEngine {
 public:
  explicit UploadEngine(UploadParts parts);

  const UploadLimits& limits() const { return parts_.limits; }
  // See UploadFinisher::on_stored; set before start().
  void on_stored(std::function<void(const File&)> hook) { finisher_.on_stored = std::move(hook); }
  void start(EventLoop& loop) { finisher_.start(loop); }
  // On that loop, once nobody calls any more.
  void stop(std::move_only_function<void()> stopped) { finisher_.stop(std::move(stopped)); }

  // Its quota is reserved, its blob is there. payload_too_large beyond MAX_FILE_SIZE_MB.
  Task<Result<Upload>> begin(NewUpload what);
  // The caller's own, complete or not; not one that another request brings whole. gone upload_expired; a failure that
  // made an end of it is remembered for a while.
  Task<Result<Upload>> find(std::shared_ptr<const Caller> caller, FileId id, SteadyTime deadline);

  // A turn to bring bytes to `range`; see UploadsUnderWay. What the store says of the upload is to be asked again then.
  Task<Result<UploadsUnderWay::Turn>> take_turn(FileId id, ByteRange range, http::Body& body);
  // Whoever brings bytes ends first; nobody does while the turn lasts.
  Task<Result<UploadsUnderWay::Turn>> interrupt(FileId id);
  Task<Result<BroughtBytes>> bring(UploadsUnderWay::Turn& turn, BodyOfUpload bytes);

  // Of a whole upload, whose bytes are in the blob: ready to become a file, with others or alone.
  Task<Result<UploadFinisher::Sealed>> seal(UploadFinisher::Bytes bytes) { return finisher_.seal(std::move(bytes)); }
  Task<Result<File>> store(UploadFinisher::Sealed sealed) { return finisher_.store(std::move(sealed)); }
  // Of one whose bytes are all present. Waits `patience` at most, and ends before `deadline`; nothing: not yet.
  Task<Result<std::optional<File>>> finish(Upload upload, SteadyTime deadline);

  // See UploadFinisher::take_up.
  void take_up(Upload upload) { finisher_.take_up(std::move(upload)); }

  // Gives it up: requests end, quota and bytes are free. False when it was not there; conflict upload_complete.
  Task<Result<bool>> abort(Upload upload);
  // Of one that its own request gives up: nobody else knows of it. What cannot be removed now, the sweeper finds.
  Task<> discard(Upload upload);

  const UploadsUnderWay& under_way() const { return under_way_; }
  std::size_t verifying() const { return finisher_.running(); }
  const Clock& clock() const { return parts_.clock; }
  MediaStore& media_store() { return parts_.store; }

  // Streams of progress: at most so many at once, of one user few, and none once watching ends.
  bool begin_watching(const TenantId& tenant, const UserId& user);
  void stop_watching(const TenantId& tenant, const UserId& user);
  bool may_watch() const { return !watching_ended_; }
  // Any thread: streams of progress end soon.
  void end_watching() { watching_ended_ = true; }

 private:
  static constexpr std::size_t kMostWatchers = 1'000;
  static constexpr std::size_t kMostWatchersOfUser = 20;

  UploadParts parts_;
  UploadsUnderWay under_way_;
  UploadFinisher finisher_;
  std::mutex watchers_mutex_;
  std::size_t watchers_ = 0;
  std::map<std::pair<TenantId, UserId>, std::size_t> watchers_of_;
  std::atomic<bool> watching_ended_{false};
};

}  // namespace parley::media
