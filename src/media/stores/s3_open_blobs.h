// S3OpenBlobs: which blobs are open for reading in this process, so that one that is removed meanwhile stays readable
// where it is open, as a file would: its objects go with the last reader. Owned by S3BlobStore, outlives the readers;
// any loop, one short lock.
#pragma once
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/ids.h"

namespace parley::media {

class S3OpenBlobs {
 public:
  // `remove_now` is called, on the loop of the last reader, for a blob whose removal was put off; whoever it tells
  // calls forget() when that is done.
  explicit S3OpenBlobs(std::function<void(FileId)> remove_now) : remove_now_(std::move(remove_now)) {}

  class Use {
   public:
    Use(Use&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), id_(std::move(other.id_)) {}
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (owner_ != nullptr) owner_->close(id_);
    }

   private:
    friend class S3OpenBlobs;
    Use(S3OpenBlobs& owner, FileId id) : owner_(&owner), id_(std::move(id)) {}
    S3OpenBlobs* owner_;
    FileId id_;
  };
  // Nullopt: it was removed.
  std::optional<Use> open(const FileId& id);
  // True: nobody reads it. False: it goes with its last reader, and is not there for anybody else from now on.
  bool put_off_removal(const FileId& id);
  bool is_removed(const FileId& id) const;
  void forget(const FileId& id);

 private:
  struct State {
    std::size_t readers = 0;
    bool is_removed = false;
  };
  void close(const FileId& id);

  const std::function<void(FileId)> remove_now_;
  mutable std::mutex mutex_;
  std::unordered_map<FileId, State> blobs_;
};

}  // namespace parley::media
