#include "media/thumbnailer.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/check.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr std::array<std::string_view, 4> kPictures{"image/jpeg", "image/png", "image/webp", "image/gif"};
constexpr std::array<std::string_view, 9> kOutcomes{"dropped", "deleted", "missing",     "failed", "too_large",
                                                    "made",    "broken",  "unsupported", "timeout"};
constexpr std::size_t kScannedAtOnce = 200;
constexpr std::chrono::seconds kToEnd{10};  // beyond its time, for a child that is killed

// The id that comes before every other of its time.
FileId first_id_of(WallTime time) {
  UuidBytes bytes{};
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  return FileId(format_uuid(bytes));
}

// An id before that one, and after every one of an earlier time.
FileId before(const FileId& file) {
  auto bytes = parse_uuid(file.value);
  if (!bytes) return first_id_of({});
  std::fill(bytes->begin() + 6, bytes->end(), std::uint8_t{0});
  return FileId(format_uuid(*bytes));
}

bool wants_thumbnails(const KnownBlob& blob) {
  return blob.sealed && !blob.deleted && !blob.image && blob.thumbnails.empty() && is_picture(blob.content_type);
}

Result<> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return unavailable("unavailable", "A picture cannot be held in memory.");
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

}  // namespace

bool is_picture(std::string_view content_type) {
  return std::ranges::find(kPictures, content_type) != kPictures.end();
}

Thumbnailer::Thumbnailer(MediaStore& store, BlobStore& blobs, const Clock& clock, Metrics& metrics, Settings settings)
    : store_(store),
      blobs_(blobs),
      clock_(clock),
      metrics_(metrics),
      settings_(std::move(settings)),
      seconds_(metrics.histogram("parley_media_thumbnail_seconds",
                                 "Time of the child that makes a picture's thumbnails", {})),
      queue_length_(metrics.gauge_from("parley_media_thumbnails_queued", "Pictures that wait for their thumbnails", {},
                                       [this] { return static_cast<double>(queued()); })),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pool_("thumbnails", settings_.children, settings_.children) {
  CHECK(stop_ && !settings_.program.command.empty());
  for (const std::string_view outcome : kOutcomes) {
    metrics_.counter("parley_media_thumbnails_total", "Pictures, by what became of their thumbnails",
                     {{"outcome", std::string(outcome)}});
  }
}

Thumbnailer::~Thumbnailer() = default;

void Thumbnailer::start(EventLoop& loop) {
  {
    const std::lock_guard lock(mutex_);
    loop_ = &loop;
  }
  tasks_.emplace(loop);
  retry_.emplace(loop, [this] {
    {
      const std::lock_guard lock(mutex_);
      std::ranges::move(std::exchange(failed_, {}), std::back_inserter(queue_));
    }
    wake();
  });
  look_back_after_ = first_id_of(clock_.wall_now() - settings_.looked_back);
  wake();
}

void Thumbnailer::close(std::move_only_function<void()> closed) {
  off_ = true;
  retry_.reset();
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
  tasks_->drain(std::move(closed));
}

std::size_t Thumbnailer::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Thumbnailer::take(const File& file) {
  if (off_ || !is_picture(file.content_type)) return;
  bool dropped = false;
  EventLoop* wakes = nullptr;
  {
    const std::lock_guard lock(mutex_);
    dropped = queue_.size() >= settings_.queue_limit;
    if (dropped) {
      missed_ = missed_ ? std::min(*missed_, file.id) : file.id;
    } else {
      queue_.push_back({file.tenant, file.id, file.content_type});
      if (loop_ != nullptr && !std::exchange(waking_, true)) wakes = loop_;
    }
  }
  if (dropped) count("dropped");
  if (wakes != nullptr) wakes->post([this] { wake(); });
}

std::optional<Thumbnailer::Picture> Thumbnailer::next() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  Picture picture = std::move(queue_.front());
  queue_.pop_front();
  return picture;
}

void Thumbnailer::wake() {
  std::size_t waiting = 0;
  {
    const std::lock_guard lock(mutex_);
    waking_ = false;
    waiting = queue_.size();
  }
  if (off_) return;
  while (workers_ < settings_.children && workers_ < waiting) {
    ++workers_;
    tasks_->spawn(work());
  }
  if (workers_ > 0 || looking_back_) return;
  {
    const std::lock_guard lock(mutex_);
    if (missed_) look_back_before(*std::exchange(missed_, std::nullopt));
  }
  if (look_back_after_) {
    looking_back_ = true;
    tasks_->spawn(look_back());
  }
}

Task<> Thumbnailer::work() {
  while (!off_) {
    auto picture = next();
    if (!picture) break;
    co_await make(std::move(*picture));
  }
  --workers_;
  if (!off_) wake();
}

void Thumbnailer::look_back_before(const FileId& file) {
  const FileId from = before(file);
  look_back_after_ = look_back_after_ ? std::min(*look_back_after_, from) : from;
}

// Fills the queue from the store, when nothing waits in it; goes on when that has been done.
Task<> Thumbnailer::look_back() {
  bool filled = false;
  while (!off_ && !filled && look_back_after_) {
    auto page = co_await store_.scan_blobs(look_back_after_, kScannedAtOnce, step_deadline());
    if (!page) {
      log_warn("looking for pictures without thumbnails failed", {{"code", page.error().code}});
      if (retry_) retry_->arm(now_on_loop() + settings_.retry);
      break;
    }
    if (page->has_more && !page->items.empty()) {
      look_back_after_ = page->items.back().id;
    } else {
      look_back_after_.reset();
    }
    const std::lock_guard lock(mutex_);
    for (KnownBlob& blob : page->items) {
      if (wants_thumbnails(blob)) queue_.push_back({blob.tenant, blob.id, std::move(blob.content_type)});
    }
    filled = !queue_.empty();
  }
  looking_back_ = false;
  if (!off_ && filled) wake();
}

Task<> Thumbnailer::make(Picture picture) {
  auto file = co_await store_.get_file(picture.tenant, picture.file, step_deadline());
  if (!file && file.error().kind == ErrorKind::kNotFound) co_return count("deleted");
  if (!file) co_return come_again(picture, file.error());
  if (file->image || !file->thumbnails.empty()) co_return;
  auto reader = co_await blobs_.open(picture.file, step_deadline());
  // Deleted meanwhile, or lost: the sweeper tells of that.
  if (!reader && reader.error().kind == ErrorKind::kNotFound) co_return count("missing");
  if (!reader) co_return come_again(picture, reader.error());
  auto fd = co_await descriptor_of(**reader);
  if (!fd && fd.error().kind == ErrorKind::kTooLarge) co_return count("too_large");
  if (!fd) co_return come_again(picture, fd.error());

  ThumbnailProgram program = settings_.program;
  program.command.push_back(picture.content_type);
  const auto began = std::chrono::steady_clock::now();
  auto answer = co_await pool_.run<ThumbnailAnswer>(
      now_on_loop() + program.time + kToEnd,
      [program = std::move(program), fd = std::move(*fd), stop = stop_.get()]() -> Result<ThumbnailAnswer> {
        return run_thumbnail_program(program, fd.get(), stop);
      });
  if (!answer) co_return come_again(picture, answer.error());
  if (answer->outcome == ThumbnailOutcome::kStopped) co_return;
  seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  if (answer->outcome == ThumbnailOutcome::kNoLibrary) co_return give_up();
  auto kept = co_await keep(picture, answer->picture);
  if (!kept && kept.error().kind == ErrorKind::kNotFound) co_return count("deleted");
  if (!kept) co_return come_again(picture, kept.error());
  count(to_string(answer->outcome));
  if (answer->outcome != ThumbnailOutcome::kMade) {
    log_info("a picture has no thumbnails",
             {{"outcome", to_string(answer->outcome)}, {"tenant", picture.tenant.value}, {"file", picture.file.value}});
  }
}

// The bytes first: what the store names is there. Of a file that is deleted meanwhile they go with it.
Task<Result<>> Thumbnailer::keep(const Picture& picture, const MadePicture& made) {
  if (!made.image) co_return Result<>{};
  FilePicture row{.tenant = picture.tenant, .file = picture.file, .image = made.image, .thumbnails = {}};
  for (const auto& [size, bytes] : made.thumbnails) {
    auto done = co_await blobs_.put_thumbnail(picture.file, size, bytes, step_deadline());
    if (!done) co_return done;
    row.thumbnails.push_back(size);
  }
  std::ranges::sort(row.thumbnails);
  co_return co_await store_.set_picture(std::move(row), step_deadline());
}

Task<Result<UniqueFd>> Thumbnailer::descriptor_of(BlobReader& reader) {
  auto body = reader.read({0, reader.size()});
  if (const auto run = body->as_file(); run && run->offset == 0) {
    UniqueFd fd(::fcntl(run->fd, F_DUPFD_CLOEXEC, 0));
    if (!fd) co_return unavailable("unavailable", "There are no descriptors left.");
    co_return fd;
  }
  if (reader.size() > settings_.most_copied) {
    co_return fail(ErrorKind::kTooLarge, "too_large", "The picture is too large for thumbnails.");
  }
  UniqueFd fd(::memfd_create("picture", MFD_CLOEXEC));
  if (!fd) co_return unavailable("unavailable", "A picture cannot be held in memory.");
  for (;;) {
    auto piece = co_await body->read();
    if (!piece) co_return fail(std::move(piece.error()));
    if (piece->empty()) break;
    if (auto done = write_all(fd.get(), *piece); !done) co_return fail(std::move(done.error()));
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  co_return fd;
}

void Thumbnailer::count(std::string_view outcome) {
  metrics_
      .counter("parley_media_thumbnails_total", "Pictures, by what became of their thumbnails",
               {{"outcome", std::string(outcome)}})
      .Increment();
}

void Thumbnailer::come_again(Picture picture, const Error& error) {
  count("failed");
  log_warn("thumbnails could not be made or kept", {{"code", error.code}, {"file", picture.file.value}});
  if (failed_.size() < settings_.queue_limit) {
    failed_.push_back(std::move(picture));
  } else {
    look_back_before(picture.file);
  }
  if (retry_) retry_->arm(now_on_loop() + settings_.retry);
}

void Thumbnailer::give_up() {
  count("no_library");
  if (off_.exchange(true)) return;
  log_warn("libvips is not installed: no thumbnails are made");
  const std::lock_guard lock(mutex_);
  queue_.clear();
}

}  // namespace parley::media
