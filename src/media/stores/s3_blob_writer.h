// S3BlobWriter: gathers what is written into pieces, each an object, and sends one while the next is filled; so a
// writer holds two pieces at most, and its sender waits while S3 does. A flush sends what there is of a piece and keeps
// it: the piece goes on to grow, and its longer form takes the place of the shorter one, so that many flushes do not
// leave many small objects.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/one_shot.h"
#include "media/blob_store.h"
#include "media/stores/s3_blob_context.h"

namespace parley::media {

class S3BlobWriter final : public BlobWriter {
 public:
  // The context must outlive the writer and what it has under way. `order` is above that of every piece that this one
  // writes over.
  S3BlobWriter(S3BlobContext& context, FileId id, std::uint64_t offset, std::uint64_t order,
               std::shared_ptr<Digests> digests);
  ~S3BlobWriter() override;

  Task<Result<>> write(std::string_view bytes, SteadyTime deadline) override;
  // S3 knows no difference between the two: what it took is safe.
  Task<Result<>> flush(SteadyTime deadline) override;
  Task<Result<>> sync(SteadyTime deadline) override { return flush(deadline); }
  std::uint64_t offset() const override { return first_ + filled(); }

 private:
  // The bytes of a piece, counted among those that all writers hold.
  struct Buffer;
  struct Piece;    // one that is to be sent
  struct Sending;  // one that is being sent
  std::size_t filled() const;
  std::size_t piece_bytes() const;
  void send();
  static Task<> send_piece(S3BlobContext& context, Piece piece, std::shared_ptr<Sending> sending);
  static Task<Result<>> digest_and_put(S3BlobContext& context, Piece& piece);
  // Waits for the piece that is being sent, if there is one; a deadline that passes is a failure.
  Task<> settle(SteadyTime deadline);
  Result<> outcome() const;

  S3BlobContext& context_;
  const FileId id_;
  const std::shared_ptr<Digests> digests_;
  std::uint64_t first_;  // where the piece that is being filled begins
  std::uint64_t order_;
  std::shared_ptr<Buffer> filling_;
  std::size_t digested_ = 0;          // of what is being filled
  std::string shorter_key_;           // of its form that was sent before; empty: none was
  std::shared_ptr<Sending> sending_;  // null: none
  std::optional<Error> failure_;
};

}  // namespace parley::media
