// The keys of objects in a bucket, and back. xx is the end of the id, since ids of one time share their beginning:
//   files/xx/ID                               a sealed blob        files/xx/ID.small   one of its thumbnails
//   uploads/xx/ID/open                        one that was begun and not sealed; the last of its keys in order
//   uploads/xx/ID/FIRST-LENGTH-ORDER          a piece of it: where it begins, how long it is, and which of two pieces
//                                             of the same bytes is the newer (all in 16 hex digits)
// Pure; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "media/types.h"

namespace parley::media {

struct PieceName {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  std::uint64_t order = 0;
  bool operator==(const PieceName&) const = default;
};

enum class ObjectKind : std::uint8_t { kSealed, kThumbnail, kMarker, kPiece };

struct BlobKey {
  FileId id;
  ObjectKind kind = ObjectKind::kSealed;
  PieceName piece{};  // of kPiece
};

class S3BlobKeys {
 public:
  // `prefix` is put in front of every key: "" or "of-mine/".
  explicit S3BlobKeys(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string sealed(const FileId& id) const { return files() + place_of(id); }
  std::string thumbnail(const FileId& id, ThumbnailSize size) const;
  std::string marker(const FileId& id) const { return pieces(id) + "open"; }
  // What all pieces of a blob, and its marker, begin with.
  std::string pieces(const FileId& id) const { return uploads() + place_of(id) + "/"; }
  std::string piece(const FileId& id, const PieceName& name) const;
  // After every key of a piece that begins before `first`.
  std::string pieces_before(const FileId& id, std::uint64_t first) const;

  std::string files() const { return prefix_ + "files/"; }
  std::string uploads() const { return prefix_ + "uploads/"; }
  // After every key of that blob, and before those of the next.
  std::string after_files(const FileId& id) const { return sealed(id) + "~"; }
  std::string after_uploads(const FileId& id) const { return pieces(id) + "~"; }

  // Nullopt: none of ours.
  std::optional<BlobKey> parse(std::string_view key) const;

 private:
  static std::string place_of(const FileId& id);
  const std::string prefix_;
};

// The order in which blobs are listed, which is that of their keys.
bool is_listed_before(const FileId& a, const FileId& b);

}  // namespace parley::media
