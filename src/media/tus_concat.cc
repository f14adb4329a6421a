#include "media/tus_concat.h"

#include <algorithm>

namespace parley::media {

namespace {

constexpr char kBetween = '\n';  // in no value of a header field
constexpr std::string_view kFinal = "final;";

// The last segment of the path of an address.
std::string_view id_at_end(std::string_view address) {
  address = address.substr(0, address.find_first_of("?#"));
  return address.substr(address.rfind('/') + 1);  // npos + 1: all of it
}

}  // namespace

std::string pack(const TusFields& fields) {
  return fields.concat.empty() ? fields.metadata : fields.metadata + kBetween + fields.concat;
}

TusFields unpack_tus_fields(const std::string& packed) {
  const std::size_t between = packed.find(kBetween);
  if (between == std::string::npos) return {packed, {}};
  return {packed.substr(0, between), packed.substr(between + 1)};
}

std::vector<FileId> partials_of(std::string_view concat) {
  std::vector<FileId> ids;
  if (!concat.starts_with(kFinal)) return ids;
  for (std::string_view rest = concat.substr(kFinal.size()); !rest.empty();) {
    const std::size_t blank = std::min(rest.find(' '), rest.size());
    if (blank > 0) ids.emplace_back(id_at_end(rest.substr(0, blank)));
    rest.remove_prefix(std::min(blank + 1, rest.size()));
  }
  return ids;
}

}  // namespace parley::media
