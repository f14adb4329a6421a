#include "media/stores/s3_blob_writer.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/text.h"

namespace parley::media {

struct S3BlobWriter::Buffer {
  explicit Buffer(std::atomic<std::size_t>& all) : held_by_all(all) {}
  ~Buffer() { held_by_all -= bytes.size(); }
  void append(std::string_view more, std::size_t whole) {
    // A small file takes no more than it needs, a large one is not copied again and again while it grows.
    if (bytes.size() + more.size() > bytes.capacity()) {
      bytes.reserve(std::min(whole, std::max(bytes.size() + more.size(), 4 * bytes.capacity())));
    }
    bytes.append(more);
    held_by_all += more.size();
  }
  std::string bytes;
  std::atomic<std::size_t>& held_by_all;
};

struct S3BlobWriter::Piece {
  FileId id;
  PieceName name;
  std::shared_ptr<const Buffer> buffer;
  std::size_t digested = 0;
  std::shared_ptr<Digests> digests;
  std::string shorter_key;
};

// Used on one loop. The writer may go before it, and may wait for it again after a deadline passed.
struct S3BlobWriter::Sending {
  std::optional<Result<>> outcome;
  std::optional<OneShotPromise<void>> waiting;

  void end(Result<> done) {
    outcome = done;
    if (waiting) waiting->deliver(std::move(done));
    waiting.reset();
  }
};

S3BlobWriter::S3BlobWriter(S3BlobContext& context, FileId id, std::uint64_t offset, std::uint64_t order,
                           std::shared_ptr<Digests> digests)
    : context_(context),
      id_(std::move(id)),
      digests_(std::move(digests)),
      first_(offset),
      order_(order),
      filling_(std::make_shared<Buffer>(context.buffered)) {}

S3BlobWriter::~S3BlobWriter() = default;

std::size_t S3BlobWriter::filled() const {
  return filling_->bytes.size();
}

std::size_t S3BlobWriter::piece_bytes() const {
  const bool is_crowded = context_.buffered.load(std::memory_order_relaxed) > context_.options.buffer_budget;
  return is_crowded ? context_.options.crowded_piece_bytes : context_.options.piece_bytes;
}

Task<Result<>> S3BlobWriter::write(std::string_view bytes, SteadyTime deadline) {
  while (!failure_ && !bytes.empty()) {
    const std::size_t whole = std::max(piece_bytes(), filled());
    const std::string_view taken = bytes.substr(0, whole - filled());
    filling_->append(taken, whole);
    bytes.remove_prefix(taken.size());
    if (filled() < whole) continue;
    co_await settle(deadline);
    if (failure_) break;
    send();
    first_ += filled();
    filling_ = std::make_shared<Buffer>(context_.buffered);
    digested_ = 0;
    shorter_key_.clear();
  }
  co_return outcome();
}

Task<Result<>> S3BlobWriter::flush(SteadyTime deadline) {
  co_await settle(deadline);
  if (!failure_ && filled() > digested_) {
    send();
    co_await settle(deadline);
  }
  co_return outcome();
}

void S3BlobWriter::send() {
  Piece piece{.id = id_,
              .name = {.first = first_, .length = filled(), .order = order_},
              .buffer = filling_,
              .digested = digested_,
              .digests = digests_,
              .shorter_key = std::exchange(shorter_key_, {})};
  shorter_key_ = context_.keys.piece(id_, piece.name);
  digested_ = filled();
  sending_ = std::make_shared<Sending>();
  context_.background.spawn(send_piece(context_, std::move(piece), sending_));
}

Task<> S3BlobWriter::send_piece(S3BlobContext& context, Piece piece, std::shared_ptr<Sending> sending) {
  Result<> done;
  try {
    done = co_await digest_and_put(context, piece);
  } catch (...) {  // out of memory, say: the writer waits for the end of this
    done = fail(ErrorKind::kInternal, "internal_error", "The piece could not be sent.");
  }
  const bool replaces = done && !piece.shorter_key.empty();
  sending->end(std::move(done));
  if (!replaces) co_return;
  std::vector<std::string> keys;
  keys.push_back(std::move(piece.shorter_key));
  (void)co_await context.client.remove(std::move(keys), context.background_deadline());
}

Task<Result<>> S3BlobWriter::digest_and_put(S3BlobContext& context, Piece& piece) {
  auto sum = co_await context.hashing.run<std::string>(
      SteadyTime::max(),
      [buffer = piece.buffer, digests = piece.digests, digested = piece.digested]() -> Result<std::string> {
        if (digests) digests->update(std::string_view(buffer->bytes).substr(digested));
        return hex_encode(sha256(buffer->bytes));
      });
  if (!sum) co_return std::unexpected(std::move(sum.error()));
  s3::Payload payload{std::shared_ptr<const std::string>(piece.buffer, &piece.buffer->bytes), std::move(*sum)};
  co_return co_await put_piece(context, piece.id, piece.name, std::move(payload), context.background_deadline());
}

Task<> S3BlobWriter::settle(SteadyTime deadline) {
  if (!sending_) co_return;
  const std::shared_ptr<Sending> sending = sending_;
  Result<> done;
  if (sending->outcome) {
    done = *sending->outcome;
  } else {
    auto [promise, future] = make_one_shot<void>(EventLoop::current());
    sending->waiting.emplace(std::move(promise));
    done = co_await future.wait(deadline);
  }
  if (sending->outcome) sending_.reset();
  if (!done && !failure_) failure_ = std::move(done.error());
}

Result<> S3BlobWriter::outcome() const {
  if (failure_) return std::unexpected(*failure_);
  return {};
}

}  // namespace parley::media
