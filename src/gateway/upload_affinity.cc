#include "gateway/upload_affinity.h"

#include <array>
#include <string_view>

namespace parley::gateway {

namespace {

// FNV-1a, 64 bits (Fowler, Noll, Vo): the same in every gateway, whatever the standard library's hash is.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

std::optional<std::uint64_t> upload_affinity(const http::Request& request) {
  // The longer ones first: "chunk" is no upload's id.
  constexpr std::array<std::string_view, 4> kBefore = {"/upload/chunk/", "/upload/complete/", "/upload/", "/tus/"};
  for (const std::string_view before : kBefore) {
    if (!request.path.starts_with(before)) continue;
    const std::string_view rest = request.path.substr(before.size());
    const std::string_view id = rest.substr(0, rest.find('/'));
    if (id.empty() || (rest.size() == id.size() && (id == "chunk" || id == "complete"))) return std::nullopt;
    return hash_of(id);
  }
  return std::nullopt;
}

}  // namespace parley::gateway
