// Requests about one upload go to one instance of media: what is on its way of it is known there alone, and there a new
// request takes over from a dead one. For http::BalancingOptions. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "http/message.h"

namespace parley::gateway {

// The same number for the same upload, by media's own paths; none for a request that names no upload.
std::optional<std::uint64_t> upload_affinity(const http::Request& request);

}  // namespace parley::gateway
