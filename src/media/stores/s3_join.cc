#include "media/stores/s3_join.h"

#include "base/join.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr std::uint64_t kMostCopiedWhole = std::uint64_t{5} << 30;

// Of one source after the other.
Task<Result<std::shared_ptr<const std::string>>> read_runs(S3BlobContext& context, std::vector<Run> runs,
                                                           SteadyTime deadline) {
  auto bytes = std::make_shared<std::string>();
  std::size_t size = 0;
  for (const Run& run : runs) size += run.length;
  bytes->reserve(size);
  for (const Run& run : runs) {
    auto body = co_await context.client.get(run.key, {run.from, run.from + run.length}, deadline);
    if (!body) co_return std::unexpected(std::move(body.error()));
    for (;;) {
      const auto piece = co_await (*body)->read();
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) break;
      bytes->append(*piece);
    }
  }
  co_return std::shared_ptr<const std::string>(std::move(bytes));
}

Task<Result<s3::Payload>> payload_of(S3BlobContext& context, std::vector<Run> runs, SteadyTime deadline) {
  auto bytes = co_await read_runs(context, std::move(runs), deadline);
  if (!bytes) co_return std::unexpected(std::move(bytes.error()));
  co_return co_await hashed(context, std::move(*bytes));
}

// A multipart upload under way. Lives in the frame that awaits its workers.
struct Joining {
  S3BlobContext& context;
  std::string target;
  std::string upload_id;
  std::vector<PartPlan> parts;
  std::vector<std::string> etags;
  SteadyTime deadline;
  std::size_t next_copied = 0;  // of the parts: where to look for the next of its kind
  std::size_t next_read = 0;
  std::optional<Error> failure;

  // The next that nobody has taken; nullopt: there is none.
  std::optional<std::size_t> take(bool copied) {
    std::size_t& next = copied ? next_copied : next_read;
    while (next < parts.size() && parts[next].is_copied != copied) ++next;
    if (failure || next == parts.size()) return std::nullopt;
    return next++;
  }
};

Task<Result<std::string>> make_part(Joining& joining, std::size_t index) {
  PartPlan& part = joining.parts[index];
  s3::PartPlace place{joining.target, joining.upload_id, index + 1};
  if (part.is_copied) {
    const Run& run = part.sources.front();
    s3::ObjectPart source{.key = run.key, .range = ByteRange{run.from, run.from + run.length}};
    if (run.is_whole_object()) source.range.reset();
    co_return co_await joining.context.client.copy_part(std::move(place), std::move(source), joining.deadline);
  }
  auto payload = co_await payload_of(joining.context, part.sources, joining.deadline);
  if (!payload) co_return std::unexpected(std::move(payload.error()));
  co_return co_await joining.context.client.put_part(std::move(place), std::move(*payload), joining.deadline);
}

// One worker reads, so that a join holds one part in memory; it copies when there is nothing to read.
Task<int> work(Joining& joining, bool reads) {
  for (;;) {
    auto index = reads ? joining.take(false) : std::nullopt;
    if (!index) index = joining.take(true);
    if (!index) co_return 0;
    auto etag = co_await make_part(joining, *index);
    if (etag) {
      joining.etags[*index] = std::move(*etag);
    } else if (!joining.failure) {
      joining.failure = std::move(etag.error());
    }
  }
}

Task<Result<>> join_parts(S3BlobContext& context, std::vector<Run> runs, std::string target, SteadyTime deadline) {
  auto upload_id = co_await context.client.begin_multipart(target, deadline);
  if (!upload_id) co_return std::unexpected(std::move(upload_id.error()));
  Joining joining{.context = context,
                  .target = target,
                  .upload_id = *upload_id,
                  .parts = plan_parts(std::move(runs), context.options.parts),
                  .deadline = deadline};
  joining.etags.resize(joining.parts.size());
  co_await join(work(joining, true), work(joining, false), work(joining, false));
  Result<> done;
  if (joining.failure) {
    done = std::unexpected(std::move(*joining.failure));
  } else {
    done = co_await context.client.complete_multipart(target, *upload_id, std::move(joining.etags), deadline);
  }
  if (done) co_return done;
  (void)co_await context.client.abort_multipart(std::move(target), std::move(*upload_id),
                                                context.background_deadline());
  co_return done;
}

}  // namespace

Task<Result<>> join_runs(S3BlobContext& context, std::vector<Run> runs, std::string target, SteadyTime deadline) {
  std::uint64_t size = 0;
  for (const Run& run : runs) size += run.length;
  Result<> done;
  if (runs.size() == 1 && runs.front().is_whole_object() && size <= kMostCopiedWhole) {
    done = co_await context.client.copy(runs.front().key, target, deadline);
  } else if (size < context.options.parts.least) {
    auto payload = co_await payload_of(context, std::move(runs), deadline);
    if (!payload) co_return std::unexpected(port_error(std::move(payload.error())));
    done = co_await context.client.put(target, std::move(*payload), s3::S3Client::Put::kAlways, deadline);
  } else {
    done = co_await join_parts(context, std::move(runs), target, deadline);
  }
  // What was refused or not heard of may have been done all the same: of a target there is only one content.
  const auto made = co_await context.client.head(target, deadline);
  if (made && *made == size) co_return Result<>();
  if (done && made) log_error("an object that was joined has not its size", {{"size", *made}, {"expected", size}});
  if (done) done = unavailable("unavailable", "Files cannot be stored or read at the moment.");
  co_return port_result(std::move(done));
}

}  // namespace parley::media
