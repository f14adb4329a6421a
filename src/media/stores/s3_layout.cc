#include "media/stores/s3_layout.h"

#include <algorithm>
#include <map>

#include "base/check.h"

namespace parley::media {

namespace {

// S3 copies a range only out of an object that is larger.
constexpr std::uint64_t kLargestUncutObject = 5 << 20;

bool can_be_copied(const Run& run) {
  return run.is_whole_object() || run.object_size > kLargestUncutObject;
}

using Painted = std::map<std::uint64_t, Run>;  // by where it begins in the blob

// Takes [first, end) out of what is painted.
void clear(Painted& painted, std::uint64_t first, std::uint64_t end) {
  auto each = painted.lower_bound(first);
  if (each != painted.begin() && std::prev(each)->second.end() > first) --each;
  while (each != painted.end() && each->second.at < end) {
    Run rest = std::move(each->second);
    each = painted.erase(each);
    if (rest.at < first) {
      Run before = rest.take_front(first - rest.at);
      painted.emplace(before.at, std::move(before));
    }
    if (rest.end() > end) {
      (void)rest.take_front(end - rest.at);
      each = painted.emplace(rest.at, std::move(rest)).first;
      ++each;
    }
  }
}

}  // namespace

Run Run::take_front(std::uint64_t bytes) {
  CHECK(bytes <= length);
  Run front{.key = key, .object_size = object_size, .from = from, .length = bytes, .at = at};
  from += bytes;
  at += bytes;
  length -= bytes;
  return front;
}

std::vector<Run> lay_out(std::vector<StoredPiece> pieces) {
  std::ranges::sort(pieces, [](const StoredPiece& a, const StoredPiece& b) {
    return std::pair(a.name.order, a.name.length) < std::pair(b.name.order, b.name.length);
  });
  Painted painted;
  for (StoredPiece& piece : pieces) {
    const PieceName& name = piece.name;
    if (name.length == 0) continue;
    clear(painted, name.first, name.first + name.length);
    painted.emplace(name.first, Run{.key = std::move(piece.key),
                                    .object_size = name.length,
                                    .from = 0,
                                    .length = name.length,
                                    .at = name.first});
  }
  std::vector<Run> runs;
  for (auto& [first, run] : painted) runs.push_back(std::move(run));
  return runs;
}

std::uint64_t end_of(const std::vector<Run>& runs) {
  return runs.empty() ? 0 : runs.back().end();
}

bool covers(const std::vector<Run>& runs, ByteRange range) {
  std::uint64_t at = range.first;
  for (const Run& run : runs) {
    if (run.at != at) return false;
    at = run.end();
  }
  return at == range.end;
}

std::vector<Run> cut_to(std::vector<Run> runs, ByteRange range) {
  std::vector<Run> cut;
  for (Run& run : runs) {
    if (run.end() <= range.first) continue;
    if (run.at >= range.end) break;
    if (run.at < range.first) (void)run.take_front(range.first - run.at);
    cut.push_back(run.end() <= range.end ? std::move(run) : run.take_front(range.end - run.at));
  }
  return cut;
}

std::uint64_t PartPlan::size() const {
  std::uint64_t bytes = 0;
  for (const Run& source : sources) bytes += source.length;
  return bytes;
}

std::vector<PartPlan> plan_parts(std::vector<Run> runs, PartLimits limits) {
  const std::uint64_t total = end_of(runs) - (runs.empty() ? 0 : runs.front().at);
  const auto share = [total](std::uint64_t parts) { return total / parts + 1; };
  const std::uint64_t least = std::max(limits.least, share(limits.most_parts - limits.most_parts / 10));
  const std::uint64_t most = std::max({limits.most, share(limits.most_parts / 2), 2 * least});
  std::vector<PartPlan> parts;
  std::ranges::reverse(runs);  // the next to take is the last
  while (!runs.empty()) {
    Run& next = runs.back();
    PartPlan part;
    if (can_be_copied(next) && (next.length >= least || runs.size() == 1)) {
      std::uint64_t taken = std::min(next.length, most);
      if (next.length > taken && next.length - taken < least) taken = next.length - least;
      part.sources.push_back(next.take_front(taken));
      part.is_copied = true;
      if (next.length == 0) runs.pop_back();
    }
    for (std::uint64_t size = 0; !part.is_copied && size < least && !runs.empty();) {
      Run& source = runs.back();
      const std::uint64_t wanted = least - size;
      const bool leave_rest = source.length > wanted && source.length - wanted >= least && can_be_copied(source);
      part.sources.push_back(source.take_front(leave_rest ? wanted : std::min(source.length, 2 * least)));
      size += part.sources.back().length;
      if (source.length == 0) runs.pop_back();
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace parley::media
