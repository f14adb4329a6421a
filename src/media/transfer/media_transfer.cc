#include "media/transfer/media_transfer.h"

#include <fmt/format.h>

namespace parley::media {

namespace {

void add(CanonicalText& text, const ByteRange& range) {
  text.add(range.first).add(range.end);
}

}  // namespace

namespace transfer {

namespace {
constexpr std::size_t kRecordsAtOnce = 1'000;
}  // namespace

std::string canonical(const FileRecord& record) {
  const File& file = record.file;
  CanonicalText text("file");
  text.add(file.id).add(file.tenant).add(file.owner).add(file.filename).add(file.content_type).add(file.size);
  text.add(file.sha256).add(file.created_at);
  text.add(file.image.has_value());
  if (file.image) text.add(file.image->width).add(file.image->height);
  text.add(file.thumbnails.size());
  for (const ThumbnailSize size : file.thumbnails) text.add(static_cast<int>(size));
  return text.add(record.deleted_at).add(record.deleted_by).take();
}

std::string canonical(const UploadRecord& record) {
  const Upload& upload = record.upload;
  CanonicalText text("upload");
  text.add(upload.id).add(upload.tenant).add(upload.owner).add(static_cast<int>(upload.kind)).add(upload.filename);
  text.add(upload.declared_type).add(upload.size).add(upload.expected_sha256).add(upload.chunk_size);
  text.add(upload.tus_metadata).add(upload.reserved).add(upload.created_at).add(upload.expires_at);
  text.add(upload.complete).add(upload.present.size());
  for (const ByteRange& range : upload.present) add(text, range);
  return text.take();
}

std::string canonical(const UsageRecord& record) {
  return CanonicalText("usage")
      .add(record.name.tenant)
      .add(record.name.user)
      .add(record.stored)
      .add(record.reserved)
      .add(record.files)
      .add(record.uploads)
      .add(record.event_number)
      .take();
}

Result<std::int64_t> copy(MediaReader& source, MediaWriter& target) {
  std::int64_t written = 0;
  auto files = walk_both<FileId>(
      source, target, kRecordsAtOnce, [](auto& store, const auto& range) { return store.files(range); },
      [&](const auto& here, const auto& there) -> Result<> {
        const auto difference = find_difference(here, there);
        written += static_cast<std::int64_t>(difference.wanted.size());
        if (auto removed = target.remove_files(difference.surplus); !removed) return removed;
        return target.put_files(difference.wanted);
      });
  if (!files) return fail(std::move(files.error()));
  auto uploads = walk_both<FileId>(
      source, target, kRecordsAtOnce, [](auto& store, const auto& range) { return store.uploads(range); },
      [&](const auto& here, const auto& there) -> Result<> {
        const auto difference = find_difference(here, there);
        written += static_cast<std::int64_t>(difference.wanted.size());
        if (auto removed = target.remove_uploads(difference.surplus); !removed) return removed;
        return target.put_uploads(difference.wanted);
      });
  if (!uploads) return fail(std::move(uploads.error()));
  // No usage is ever removed.
  auto usage = walk_both<UsageName>(
      source, target, kRecordsAtOnce, [](auto& store, const auto& range) { return store.usage(range); },
      [&](const auto& here, const auto& there) -> Result<> {
        return target.put_usage(find_difference(here, there).wanted);
      });
  if (!usage) return fail(std::move(usage.error()));
  return written;
}

namespace {

class Comparer {
 public:
  Comparer(MediaReader& source, MediaReader& target) : source_(source), target_(target) {}

  Result<MediaComparison> run() {
    auto done = walk_both<FileId>(
        source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.files(range); },
        [this](const auto& here, const auto& there) { return take(here, there); });
    if (!done) return fail(std::move(done.error()));
    done = walk_both<FileId>(
        source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.uploads(range); },
        [this](const auto& here, const auto& there) { return take(here, there); });
    if (!done) return fail(std::move(done.error()));
    done = walk_both<UsageName>(
        source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.usage(range); },
        [this](const auto& here, const auto& there) { return take(here, there); });
    if (!done) return fail(std::move(done.error()));
    return std::move(out_);
  }

 private:
  template <class Record>
  Result<> take(const std::vector<Record>& here, const std::vector<Record>& there) {
    lay_side_by_side(here, there, [&](const Record* one, const Record* other) {
      if (one) count(out_.source, *one);
      if (other) count(out_.target, *other);
      if (one && other && canonical(*one) == canonical(*other)) return;
      ++out_.differing;
      if (out_.differences.size() >= kMaxDifferences) return;
      const char* const how = !other ? "not in the target" : !one ? "not in the source" : "not the same";
      out_.differences.push_back(fmt::format("{}: {}", name_of(one ? *one : *other), how));
    });
    return {};
  }
  static void count(MediaTotals& totals, const FileRecord& record) {
    ++totals.files;
    totals.bytes += record.file.size;
    totals.checksum.add(canonical(record));
  }
  static void count(MediaTotals& totals, const UploadRecord& record) {
    ++totals.uploads;
    totals.checksum.add(canonical(record));
  }
  static void count(MediaTotals& totals, const UsageRecord& record) { totals.checksum.add(canonical(record)); }
  static std::string name_of(const FileRecord& record) {
    return fmt::format("tenant {}, file {}", record.file.tenant.value, record.file.id.value);
  }
  static std::string name_of(const UploadRecord& record) {
    return fmt::format("tenant {}, upload {}", record.upload.tenant.value, record.upload.id.value);
  }
  static std::string name_of(const UsageRecord& record) {
    const UsageName& name = record.name;
    if (name.user.empty()) return fmt::format("tenant {}, its usage", name.tenant.value);
    return fmt::format("tenant {}, user {}, their usage", name.tenant.value, name.user.value);
  }

  MediaReader& source_;
  MediaReader& target_;
  MediaComparison out_;
};

}  // namespace

Result<MediaComparison> compare(MediaReader& source, MediaReader& target) {
  return Comparer(source, target).run();
}

}  // namespace transfer

}  // namespace parley::media
