// Where a role of ours is reached from this host. Pure.
#pragma once
#include <cstdint>
#include <string>

#include "config/settings.h"

namespace parley::app {

// "http://127.0.0.1:3006": at the address that roles listen on, or at loopback where that is any.
std::string url_on_this_host(const Settings& settings, std::uint16_t port);

}  // namespace parley::app
