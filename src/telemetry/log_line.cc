#include "telemetry/log_line.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/text.h"

namespace parley::log_detail {
namespace {

// Bytes that stand for themselves within a JSON string: printable ASCII but quote and backslash.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x7f; ++c) plain[static_cast<std::size_t>(c)] = c != '"' && c != '\\';
  return plain;
}();

bool is_plain(char c) {
  return kPlain[static_cast<unsigned char>(c)];
}

// Length of the valid UTF-8 sequence of two bytes or more that `text` begins with, else 0.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : (lead & 0xf0) == 0xe0        ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) || (lead == 0xf0 && byte(1) < 0x90) ||
      (lead == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  return length;
}

std::string_view cut_text(std::string_view text) {
  if (text.size() <= LogLine::kMaxTextBytes) return text;
  std::size_t end = LogLine::kMaxTextBytes;
  while (end > LogLine::kMaxTextBytes - 3 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// Whether a value can stand without quotes in a pretty line.
bool is_word(std::string_view text) {
  if (text.empty() || text.size() > LogLine::kMaxTextBytes) return false;
  for (const char c : text) {
    if (!is_plain(c) || c == ' ' || c == '=') return false;
  }
  return true;
}

std::string_view colour_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
    case LogLevel::kDebug:
      return "\x1b[2m";
    case LogLevel::kWarn:
      return "\x1b[33m";
    case LogLevel::kError:
      return "\x1b[31m";
    default:
      return "\x1b[32m";
  }
}

}  // namespace

LogLine::LogLine(WallTime time, LogLevel level, std::string_view message, std::span<const LogField> fields,
                 bool pretty) {
  if (pretty) {
    write_pretty(time, level, message, fields);
  } else {
    write_json(time, level, message, fields);
  }
}

void LogLine::write_json(WallTime time, LogLevel level, std::string_view message, std::span<const LogField> fields) {
  put("{\"ts\":\"");
  put_time(time);
  put("\",\"level\":\"");
  put(to_string(level));
  put("\",\"msg\":\"");
  put_escaped(message);
  put("\"");
  for (const LogField& field : fields) {
    const std::size_t before = size_;
    put(",\"");
    put(field.key);
    put("\":");
    put_value(field.value, true);
    if (full_) {
      size_ = before;
      break;
    }
  }
  const std::string_view end = full_ ? ",\"cut\":true}\n" : "}\n";
  std::memcpy(bytes_.data() + size_, end.data(), end.size());
  size_ += end.size();
}

void LogLine::write_pretty(WallTime time, LogLevel level, std::string_view message, std::span<const LogField> fields) {
  put_time(time);
  put(" ");
  put(colour_of(level));
  put(to_string(level));
  put("\x1b[0m ");
  if (to_string(level).size() < 5) put(" ");
  put_escaped(message);
  for (const LogField& field : fields) {
    const std::size_t before = size_;
    put(" \x1b[2m");
    put(field.key);
    put("=\x1b[0m");
    put_value(field.value, false);
    if (full_) {
      size_ = before;
      break;
    }
  }
  const std::string_view end = full_ ? " …\n" : "\n";
  std::memcpy(bytes_.data() + size_, end.data(), end.size());
  size_ += end.size();
}

void LogLine::put(std::string_view text) {
  if (full_ || text.size() > kCapacity - kReserve - size_) {
    full_ = true;
    return;
  }
  std::memcpy(bytes_.data() + size_, text.data(), text.size());
  size_ += text.size();
}

void LogLine::put_escaped(std::string_view text) {
  const std::string_view kept = cut_text(text);
  for (std::size_t i = 0; i < kept.size();) {
    std::size_t run = i;
    while (run < kept.size() && is_plain(kept[run])) ++run;
    if (run > i) {
      put(kept.substr(i, run - i));
      i = run;
      continue;
    }
    const auto c = static_cast<unsigned char>(kept[i]);
    if (c >= 0x80) {
      const std::size_t length = sequence_length(kept.substr(i));
      const bool c1 = length == 2 && c == 0xc2 && static_cast<unsigned char>(kept[i + 1]) < 0xa0;
      if (length > 0 && !c1) {
        put(kept.substr(i, length));
        i += length;
        continue;
      }
      if (length == 0) {
        put("\xef\xbf\xbd");
        ++i;
        continue;
      }
    }
    static constexpr char kHex[] = "0123456789abcdef";
    const unsigned code = c >= 0x80 ? static_cast<unsigned char>(kept[++i]) : c;  // C1: its code is its second byte
    ++i;
    switch (code) {
      case '"':
        put("\\\"");
        break;
      case '\\':
        put("\\\\");
        break;
      case '\n':
        put("\\n");
        break;
      case '\r':
        put("\\r");
        break;
      case '\t':
        put("\\t");
        break;
      default: {
        const char escape[] = {'\\', 'u', '0', '0', kHex[code >> 4], kHex[code & 15]};
        put({escape, sizeof escape});
      }
    }
  }
  if (kept.size() < text.size()) put("…");
}

void LogLine::put_value(const LogValue& value, bool quote_always) {
  switch (value.kind()) {
    case LogValue::Kind::kText:
      if (!quote_always && is_word(value.as_text())) {
        put(value.as_text());
      } else {
        put("\"");
        put_escaped(value.as_text());
        put("\"");
      }
      break;
    case LogValue::Kind::kSigned:
      put_number(value.as_signed());
      break;
    case LogValue::Kind::kUnsigned:
      put_number(value.as_unsigned());
      break;
    case LogValue::Kind::kDouble:
      if (std::isfinite(value.as_double())) {
        put_number(value.as_double());
      } else {
        put("null");
      }
      break;
    case LogValue::Kind::kBool:
      put(value.as_bool() ? "true" : "false");
      break;
  }
}

template <class Number>
void LogLine::put_number(Number number) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  put({digits, static_cast<std::size_t>(end - digits)});
}

// The date and time to the second are made once a second and thread; the milliseconds each time.
void LogLine::put_time(WallTime time) {
  thread_local std::int64_t cached_second = INT64_MIN;
  thread_local char cached[24];
  const std::int64_t ms = time.time_since_epoch().count();
  const std::int64_t second = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  if (second != cached_second) {
    const std::string text = format_rfc3339(time);
    if (text.size() != sizeof cached) return put(text);  // a year beyond 9999
    std::memcpy(cached, text.data(), sizeof cached);
    cached_second = second;
  }
  const auto fraction = static_cast<unsigned>(ms - second * 1000);
  cached[20] = static_cast<char>('0' + fraction / 100);
  cached[21] = static_cast<char>('0' + fraction / 10 % 10);
  cached[22] = static_cast<char>('0' + fraction % 10);
  put({cached, sizeof cached});
}

}  // namespace parley::log_detail
