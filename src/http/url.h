// Absolute http and https URLs, as settings name upstreams.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::http {

struct Url {
  bool tls = false;
  std::string host;  // without brackets for IPv6
  std::uint16_t port = 80;
  std::string path;  // "" or "/base", never ending in `/`

  // "host:port" as the Host field wants it; the default port is left out.
  std::string authority() const;
};

// kInvalid on anything but http(s)://host[:port][/path], without user, query and fragment.
Result<Url> parse_url(std::string_view text);

}  // namespace parley::http
