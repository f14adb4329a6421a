// From the text of a setting to its value: one reader for each kind.
#include <arpa/inet.h>

#include "base/ip_networks.h"
#include "base/text.h"
#include "config/named_secrets.h"
#include "config/settings_table.h"

namespace parley {
namespace {

using Read = std::expected<SettingValue, std::string>;
using enum SettingKind;

std::unexpected<std::string> fault(const Setting& setting, std::string what) {
  return std::unexpected(std::move(what) + "; allowed: " + setting.bounds());
}

// The value as a fault may quote it: cut short, and only what a terminal takes.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string quote = "\"";
  for (const char c : text.substr(0, kMost)) quote += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return quote + (text.size() > kMost ? "…\"" : "\"");
}

Read read_number(const Setting& setting, std::string_view text) {
  const std::optional<std::uint64_t> number = parse_u64(text);
  if (!number) return fault(setting, quoted(text) + " is not a whole number");
  if (*number < setting.min) return fault(setting, std::string(text) + " is too small");
  if (*number > setting.max) return fault(setting, std::string(text) + " is too large");
  return SettingValue{.number = *number};
}

Read read_choice(const Setting& setting, std::string_view text) {
  for (std::string_view rest = setting.choices; !rest.empty();) {
    const std::size_t comma = rest.find(", ");
    if (rest.substr(0, comma) == text) return SettingValue{.text = std::string(text)};
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
  }
  return fault(setting, quoted(text) + " is not known");
}

Read read_text(const Setting& setting, std::string_view text) {
  if (text.size() < setting.min || text.size() > setting.max) {
    return fault(setting, "it has " + std::to_string(text.size()) + " bytes");
  }
  if (!is_valid_utf8(text) || has_control_characters(text)) {
    return fault(setting, "it is not UTF-8 or has control characters");
  }
  return SettingValue{.text = std::string(text)};
}

Read read_address(const Setting& setting, std::string_view text) {
  const std::string address(text);
  in6_addr parsed;
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1 && inet_pton(AF_INET6, address.c_str(), &parsed) != 1) {
    return fault(setting, quoted(text) + " is no IP address");
  }
  return SettingValue{.text = address};
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c + ('a' - 'A') * (c >= 'A' && c <= 'Z'));
  return lower;
}

bool is_host(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    in6_addr parsed;
    return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &parsed) == 1;
  }
  if (host.empty() || host.size() > 253) return false;
  for (const char c : host) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_')) return false;
  }
  return true;
}

struct SplitUrl {
  std::string origin;  // lower case
  std::string_view rest;
};

// Splits off scheme://host[:port]; nullopt when that part is not well formed. User names in URLs are not taken.
std::optional<SplitUrl> split_url(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c == 0x7f || c == '\\' || c == '#') return std::nullopt;
  }
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = ascii_lower(text.substr(0, colon));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  const std::size_t end = std::min(text.find_first_of("/?", colon + 3), text.size());
  const std::string authority = ascii_lower(text.substr(colon + 3, end - colon - 3));
  const std::size_t bracket = authority.rfind(']');
  const std::size_t port = authority.find(':', bracket == std::string::npos ? 0 : bracket);
  if (!is_host(std::string_view(authority).substr(0, port))) return std::nullopt;
  if (port != std::string::npos) {
    const std::optional<std::uint64_t> number = parse_u64(std::string_view(authority).substr(port + 1));
    if (!number || *number == 0 || *number > 65535) return std::nullopt;
  }
  return SplitUrl{scheme + "://" + authority, text.substr(end)};
}

Read read_url(const Setting& setting, std::string_view text) {
  if (text.size() > setting.max) return fault(setting, "it has " + std::to_string(text.size()) + " bytes");
  const std::optional<SplitUrl> url = split_url(text);
  if (!url) return fault(setting, quoted(text) + " is no such URL");
  return SettingValue{.text = url->origin + (url->rest.empty() ? "/" : std::string(url->rest))};
}

Read read_path(const Setting& setting, std::string_view text) {
  if (text.size() < setting.min || text.size() > setting.max) {
    return fault(setting, "it has " + std::to_string(text.size()) + " bytes");
  }
  if (text.find('\0') != std::string_view::npos) return fault(setting, "it has a NUL byte");
  return SettingValue{.text = std::string(text)};
}

Read read_pem(const Setting& setting, std::string_view text) {
  if (text.size() > setting.max) return fault(setting, "it has " + std::to_string(text.size()) + " bytes");
  std::string pem;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\\n") {
      pem += '\n';
      ++i;
    } else {
      pem += text[i];
    }
  }
  const std::size_t begin = pem.find("-----BEGIN ");
  if (begin == std::string::npos || pem.find("-----END ", begin) == std::string::npos) {
    return fault(setting, "it has no PEM block");
  }
  if (pem.find("PRIVATE KEY-----") != std::string::npos) {
    return fault(setting, "it holds a private key, and only public ones belong here");
  }
  return SettingValue{.text = std::move(pem)};
}

Read read_secret(const Setting& setting, std::string_view text) {
  if (text.size() < setting.min || text.size() > setting.max) {
    return fault(setting, "it has " + std::to_string(text.size()) + " characters");
  }
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e) return fault(setting, "it has other characters");
  }
  return SettingValue{.text = std::string(text)};
}

Read read_named_secrets(const Setting& setting, std::string_view text) {
  if (text.size() > setting.max) return fault(setting, "it has " + std::to_string(text.size()) + " characters");
  if (auto secrets = parse_named_secrets(text); !secrets) return fault(setting, std::move(secrets.error()));
  return SettingValue{.text = std::string(text)};
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> items;
  for (;;) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    items.push_back(item);
    if (comma == std::string_view::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

Read read_origins(const Setting& setting, std::string_view text) {
  SettingValue value;
  for (const std::string_view item : split_list(text)) {
    if (item == "*") {
      value.list.emplace_back("*");
      continue;
    }
    const std::optional<SplitUrl> url = split_url(item);
    if (!url || !url->rest.empty()) return fault(setting, quoted(item) + " is no origin");
    value.list.push_back(url->origin);
  }
  if (value.list.size() > setting.max) return fault(setting, "it names " + std::to_string(value.list.size()));
  if (value.list.size() > 1 && std::ranges::find(value.list, "*") != value.list.end()) {
    return fault(setting, "* stands beside others");
  }
  return value;
}

Read read_service_urls(const Setting& setting, std::string_view text) {
  SettingValue value;
  for (const std::string_view item : split_list(text)) {
    const std::optional<SplitUrl> url = split_url(item);
    if (!url) return fault(setting, quoted(item) + " is no such URL");
    if (!url->origin.starts_with("http://")) return fault(setting, quoted(item) + " is not plain HTTP");
    if (!url->rest.empty() && url->rest != "/") return fault(setting, quoted(item) + " has a path");
    if (std::ranges::find(value.list, url->origin) != value.list.end())
      return fault(setting, quoted(item) + " stands there twice");
    value.list.push_back(url->origin);
  }
  if (value.list.size() > setting.max) return fault(setting, "it names " + std::to_string(value.list.size()));
  return value;
}

Read read_networks(const Setting& setting, std::string_view text) {
  SettingValue value;
  for (const std::string_view item : split_list(text)) {
    const std::string network(item);
    if (!IpNetworks::parse({&network, 1})) return fault(setting, quoted(item) + " is neither");
    value.list.push_back(network);
  }
  if (value.list.size() > setting.max) return fault(setting, "it names " + std::to_string(value.list.size()));
  return value;
}

Read read_roles(const Setting& setting, std::string_view text) {
  SettingValue value;
  for (const std::string_view item : split_list(text)) {
    if (!parse_role(item)) return fault(setting, quoted(item) + " is no role");
    value.list.emplace_back(item);
  }
  return value;
}

}  // namespace

std::expected<SettingValue, std::string> read_setting(const Setting& setting, std::string_view text) {
  switch (setting.kind) {
    case kNumber:
    case kPort:
    case kBytes:
    case kPercent:
    case kMilliseconds:
    case kSeconds:
      return read_number(setting, text);
    case kChoice:
      return read_choice(setting, text);
    case kText:
      return read_text(setting, text);
    case kAddress:
      return read_address(setting, text);
    case kServiceUrls:
      return read_service_urls(setting, text);
    case kUrl:
      return read_url(setting, text);
    case kPath:
      return read_path(setting, text);
    case kPem:
      return read_pem(setting, text);
    case kSecret:
      return read_secret(setting, text);
    case kNamedSecrets:
      return read_named_secrets(setting, text);
    case kOrigins:
      return read_origins(setting, text);
    case kNetworks:
      return read_networks(setting, text);
    case kRoles:
      return read_roles(setting, text);
  }
  return fault(setting, "it cannot be read");
}

}  // namespace parley
