#include "media/upload_progress.h"

#include <algorithm>

#include "base/json_writer.h"
#include "media/json_encoding.h"

namespace parley::media {

namespace {

constexpr std::size_t kRunsNamed = 10;

void write(JsonWriter& json, const ChunkCount& chunks) {
  json.begin_object();
  json.key("total").number(static_cast<std::int64_t>(chunks.total));
  json.key("present").number(static_cast<std::int64_t>(chunks.present));
  json.key("missing").begin_array();
  for (const auto& [first, last] : chunks.missing) {
    json.begin_array();
    json.number(static_cast<std::int64_t>(first)).number(static_cast<std::int64_t>(last));
    json.end_array();
  }
  json.end_array();
  json.key("more_missing").boolean(chunks.more_missing);
  json.end_object();
}

const char* state_of(const Upload& upload, const UploadsUnderWay::Standing& standing) {
  if (upload.complete) return "complete";
  return standing.read_over ? "verifying" : "receiving";
}

}  // namespace

ChunkCount count_chunks(const Upload& upload) {
  ChunkCount count;
  const std::uint64_t size = upload.size.value_or(0);
  const std::uint64_t chunk = upload.chunk_size;
  count.total = (size + chunk - 1) / chunk;
  std::uint64_t missing = 0;
  std::optional<std::uint64_t> last_missing;
  const auto add_gap = [&](std::uint64_t gap_first, std::uint64_t gap_end) {
    std::uint64_t first = gap_first / chunk;
    const std::uint64_t last = (gap_end - 1) / chunk;
    if (last_missing == first) ++first;  // two gaps within one chunk
    if (first > last) return;
    missing += last - first + 1;
    const bool goes_on = last_missing && *last_missing + 1 == first && !count.more_missing;
    last_missing = last;
    if (goes_on) {
      count.missing.back().second = last;
    } else if (count.missing.size() < ChunkCount::kMostRuns) {
      count.missing.emplace_back(first, last);
    } else {
      count.more_missing = true;
    }
  };
  std::uint64_t at = 0;
  for (const ByteRange& range : upload.present) {
    if (range.first > at) add_gap(at, range.first);
    at = range.end;
  }
  if (at < size) add_gap(at, size);
  count.present = count.total - missing;
  return count;
}

std::uint64_t front_end(const Upload& upload) {
  return upload.present.empty() || upload.present.front().first != 0 ? 0 : upload.present.front().end;
}

bool is_all_present(const Upload& upload) {
  return upload.size && bytes_present(upload) == *upload.size;
}

std::string encode_progress(const Upload& upload, const UploadsUnderWay::Standing& standing,
                            const std::optional<File>& file) {
  const std::uint64_t most = upload.size.value_or(UINT64_MAX);
  const std::uint64_t received = std::min(most, bytes_present(upload) + standing.unrecorded);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("upload_id").string(upload.id.value);
  json.key("state").string(state_of(upload, standing));
  json.key("filename").string(upload.filename);
  json.key("size");
  if (upload.size) {
    json.number(static_cast<std::int64_t>(*upload.size));
  } else {
    json.null();
  }
  json.key("received").number(static_cast<std::int64_t>(received));
  json.key("verified").number(static_cast<std::int64_t>(upload.complete ? *upload.size : standing.verified));
  json.key("chunk_size");
  if (upload.kind == UploadKind::kChunked) {
    json.number(static_cast<std::int64_t>(upload.chunk_size));
    write(json.key("chunks"), count_chunks(upload));
  } else {
    json.null().key("chunks").null();
  }
  json.key("expires_at").time(upload.expires_at);
  json.key("file");
  if (file) {
    write(json, *file);
  } else {
    json.null();
  }
  json.end_object();
  return out;
}

std::unexpected<Error> incomplete(const Upload& upload) {
  std::string what;
  if (upload.kind == UploadKind::kChunked) {
    const ChunkCount chunks = count_chunks(upload);
    for (std::size_t i = 0; i < chunks.missing.size() && i < kRunsNamed; ++i) {
      const auto& [first, last] = chunks.missing[i];
      what += (i == 0 ? "" : ", ") + std::to_string(first) + (first == last ? "" : "-" + std::to_string(last));
    }
    if (chunks.missing.size() > kRunsNamed) what += " and more";
    what = "Chunks are missing: " + what + ".";
  } else {
    what = "Only " + std::to_string(bytes_present(upload)) + " bytes have come so far.";
  }
  return fail(ErrorKind::kConflict, "upload_incomplete", std::move(what));
}

}  // namespace parley::media
