// The one list of settings: name, kind, default, bounds, meaning, and where the value goes. Loading, `--explain`, the
// documentation and the tests all walk this table; a setting that is not here does not exist. Any thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace parley {

enum class SettingKind : std::uint8_t {
  kNumber,        // decimal, within min and max
  kBytes,         // likewise, in bytes
  kPercent,       // likewise
  kMilliseconds,  // likewise
  kSeconds,       // likewise
  kPort,          // likewise
  kChoice,        // one of `choices`
  kText,          // UTF-8 without control characters, min to max bytes
  kAddress,       // an IPv4 or IPv6 address
  kServiceUrls,   // http://host[:port], comma-separated, at most max
  kUrl,           // http:// or https://, with path and query
  kPath,          // of a file or folder, min to max bytes
  kPem,           // one or several PEM blocks, at most max bytes
  kSecret,        // visible ASCII, min to max bytes; never shown
  kNamedSecrets,  // as named_secrets.h says, at most max bytes; never shown
  kOrigins,       // comma-separated: scheme://host[:port], or *
  kNetworks,      // comma-separated IP addresses and networks, at most max
  kRoles,         // comma-separated, or the flag repeated
};

// What a text was read as: one of the three, by kind.
struct SettingValue {
  std::uint64_t number = 0;
  std::string text;
  std::vector<std::string> list;
};

struct Setting {
  std::string_view section;
  std::string_view name;  // the environment variable
  SettingKind kind;
  std::string_view fallback;  // default, as one would write it; empty: not set
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  std::string_view meaning;  // one line
  std::string_view example;
  void (*assign)(Settings&, const SettingValue&);
  std::string_view required = "no";
  bool may_be_file = false;       // NAME_FILE (--name-file) names a file that holds the value
  std::string_view flag = {};     // without dashes; empty: the name in kebab-case
  std::string_view choices = {};  // of kChoice: "a, b, c"

  std::string flag_name() const;  // "http-max-header-bytes"
  std::string bounds() const;     // "1024 to 1048576 bytes"
};

std::span<const Setting> settings_table();
// CHECK-fails on a name that is not in the table.
const Setting& setting_named(std::string_view name);

// Reads one value; the error says what is wrong and what is allowed, without the name and never with a secret.
std::expected<SettingValue, std::string> read_setting(const Setting& setting, std::string_view text);

}  // namespace parley
