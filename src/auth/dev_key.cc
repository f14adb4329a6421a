#include "auth/dev_key.h"

#include "auth/key_file.h"

namespace parley::auth {

namespace fs = std::filesystem;

namespace {
constexpr std::string_view kWhat = "the development key";
}

Result<SigningKey> load_dev_key(const fs::path& folder) {
  auto pem = read_key_file(folder / kDevKeyFile, kWhat);
  if (!pem) {
    if (pem.error().kind != ErrorKind::kNotFound) return fail(std::move(pem.error()));
    return fail(ErrorKind::kNotFound, "not_found", "There is no development key in " + folder.string() + ".");
  }
  return SigningKey::from_pem(*pem);
}

Result<SigningKey> load_or_create_dev_key(const fs::path& folder) {
  auto existing = load_dev_key(folder);
  if (existing || existing.error().kind != ErrorKind::kNotFound) return existing;
  const auto key = SigningKey::generate(Algorithm::kEs256);
  if (!key) return fail(key.error());
  if (auto written = write_key_file_once(folder / kDevKeyFile, key->private_pem(), kWhat); !written) {
    return fail(std::move(written.error()));
  }
  return load_dev_key(folder);
}

}  // namespace parley::auth
