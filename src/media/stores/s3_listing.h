// S3Listing: the blobs of a bucket one after the other, each once, out of two lists of objects in the same order: those
// of sealed blobs with their thumbnails, and those of uploads. Used by one task on its loop; fails as the driver does.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "media/stores/s3_blob_context.h"

namespace parley::media {

class S3Listing {
 public:
  // From the blob after `after` on.
  S3Listing(S3BlobContext& context, std::optional<FileId> after, SteadyTime deadline);

  struct Entry {
    StoredBlob blob;
    std::vector<std::string> leftovers;  // of a sealed blob: keys of what it was made of
    WallTime newest_leftover{};
  };
  // Nullopt: that was the last.
  Task<Result<std::optional<Entry>>> next();

 private:
  struct Object {
    s3::ListedObject object;
    BlobKey key;
  };
  // One of the two lists, read ahead by one object.
  struct Stream {
    s3::ListFrom from;
    std::vector<Object> page{};  // the next one at the back
    bool is_read = false;        // to its end
  };
  // Null: there is none.
  Task<Result<const Object*>> peek(Stream& stream);
  Task<Result<>> take_all(Stream& stream, Entry& entry);
  static void take(Object object, Entry& entry);

  S3BlobContext& context_;
  const SteadyTime deadline_;
  Stream files_;
  Stream uploads_;
};

}  // namespace parley::media
