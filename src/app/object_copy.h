// Copying the bytes of files from one store of objects to another, held against what media knows of them. Tasks of an
// event loop; what they are given must outlive them.
#pragma once
#include "base/result.h"
#include "base/task.h"
#include "media/blob_store.h"
#include "media/media_store.h"

namespace parley::app {

// A sealed object with its thumbnails. fail: invalid wrong_bytes when they are not those that were stored; conflict
// blob_exists when there is one of that id already.
Task<Result<>> copy_object(media::BlobStore& from, media::BlobStore& to, media::KnownBlob blob);
// The thumbnails that are missing beside an object that is there.
Task<Result<>> complete_thumbnails(media::BlobStore& from, media::BlobStore& to, media::KnownBlob blob);
// What is present of an upload, into an object that was begun.
Task<Result<>> copy_ranges(media::BlobStore& from, media::BlobStore& to, media::Upload upload);
// Reads an object to its end. fail: invalid wrong_bytes when its SHA-256 is another one.
Task<Result<>> read_over(media::BlobStore& objects, media::KnownBlob blob);

}  // namespace parley::app
