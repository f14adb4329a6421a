#include "media/content_type.h"

#include <magic.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr std::size_t kMaxTypeBytes = 127;

// libmagic knows some types by names that browsers do not.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kKnownToBrowsersAs = {{
    {"image/x-ms-bmp", "image/bmp"},
    {"image/vnd.microsoft.icon", "image/x-icon"},
    {"audio/x-wav", "audio/wav"},
    {"audio/x-m4a", "audio/mp4"},
    {"audio/x-hx-aac-adts", "audio/aac"},
    {"audio/x-flac", "audio/flac"},
    {"video/x-m4v", "video/mp4"},
    {"inode/x-empty", kUnknownType},
}};

constexpr std::array<std::string_view, 21> kSafeInline = {
    "audio/aac",    "audio/flac", "audio/midi", "audio/mp4",  "audio/mpeg", "audio/ogg",       "audio/wav",
    "audio/webm",   "image/avif", "image/bmp",  "image/gif",  "image/jpeg", "image/png",       "image/webp",
    "image/x-icon", "text/plain", "video/mp4",  "video/mpeg", "video/ogg",  "video/quicktime", "video/webm"};

// Kinds of text that libmagic takes for plain text and that say more of what a file is for.
constexpr std::array<std::string_view, 5> kBelievedTexts = {"text/calendar", "text/csv", "text/markdown",
                                                            "text/tab-separated-values", "text/vcard"};

// RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kOthers.contains(c);
  });
}

bool is_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && text.size() <= kMaxTypeBytes && is_token(text.substr(0, slash)) &&
         is_token(text.substr(slash + 1));
}

// Lower-case, without parameters and blanks around.
std::string essence_of(std::string_view type) {
  type = type.substr(0, type.find(';'));
  type = type.substr(0, type.find_last_not_of(" \t") + 1);
  type = type.substr(std::min(type.find_first_not_of(" \t"), type.size()));
  std::string essence(type);
  std::ranges::transform(essence, essence.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return essence;
}

}  // namespace

// Without looking into compressed files, and without parsing programs: of both only the fact is of interest.
class ContentTypeSniffer::Magic {
 public:
  static constexpr int kFlags = MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF;
  Magic() : cookie_(::magic_open(kFlags)) {}
  ~Magic() {
    if (cookie_ != nullptr) ::magic_close(cookie_);
  }
  Magic(const Magic&) = delete;
  Magic& operator=(const Magic&) = delete;

  bool load() { return cookie_ != nullptr && ::magic_load(cookie_, nullptr) == 0; }
  const char* error() const { return cookie_ == nullptr ? nullptr : ::magic_error(cookie_); }
  std::string type_of(std::string_view bytes) {
    if (bytes.empty()) return std::string(kUnknownType);
    const char* const type = ::magic_buffer(cookie_, bytes.data(), bytes.size());
    if (type == nullptr) {
      log_warn("the type of a file could not be told", {{"error", error()}});
      return std::string(kUnknownType);
    }
    if (!is_type(type)) return std::string(kUnknownType);  // older tables answer two types in one
    for (const auto& [magics, browsers] : kKnownToBrowsersAs) {
      if (magics == type) return std::string(browsers);
    }
    return type;
  }

 private:
  const magic_t cookie_;
};

Result<std::unique_ptr<ContentTypeSniffer>> ContentTypeSniffer::open() {
  auto magic = std::make_unique<Magic>();
  if (!magic->load()) {
    const char* const error = magic->error();
    return unavailable("magic_unusable", std::string("libmagic's table of file types cannot be read: ") +
                                             (error == nullptr ? "no memory" : error));
  }
  return std::unique_ptr<ContentTypeSniffer>(new ContentTypeSniffer(std::move(magic)));
}

ContentTypeSniffer::ContentTypeSniffer(std::unique_ptr<Magic> magic)
    : magic_(std::move(magic)), pool_("media-sniff", 1, 256) {}

ContentTypeSniffer::~ContentTypeSniffer() = default;

Task<Result<std::string>> ContentTypeSniffer::sniff(std::string first_bytes, SteadyTime deadline) {
  return pool_.run<std::string>(deadline, [this, bytes = std::move(first_bytes)]() -> Result<std::string> {
    return magic_->type_of(std::string_view(bytes).substr(0, kSniffedBytes));
  });
}

std::string content_type_of(std::string_view sniffed, std::string_view declared) {
  if (sniffed == "text/plain") {
    const std::string named = essence_of(declared);
    if (std::ranges::find(kBelievedTexts, named) != kBelievedTexts.end()) return named;
  }
  return std::string(sniffed);
}

bool is_safe_inline(std::string_view content_type) {
  return std::ranges::find(kSafeInline, essence_of(content_type)) != kSafeInline.end();
}

}  // namespace parley::media
