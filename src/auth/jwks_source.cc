#include "auth/jwks_source.h"

#include <fstream>

#include "auth/key_set.h"

namespace parley::auth {

Result<std::string> read_key_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(KeySet::kMaxTextBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  // A text that fits ends in eof; bad() is a fault of the device, or a folder.
  if (file.bad() || (!file.eof() && file.gcount() == 0)) {
    return fail(ErrorKind::kInvalid, "bad_key", "The key file cannot be read.");
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > KeySet::kMaxTextBytes) {
    return fail(ErrorKind::kInvalid, "bad_key", "The key file is over 256 KiB.");
  }
  return text;
}

Task<Result<std::string>> FileJwksSource::fetch(SteadyTime deadline) {
  co_return co_await pool_.run<std::string>(deadline, [path = path_] { return read_key_file(path); });
}

}  // namespace parley::auth
