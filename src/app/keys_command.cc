#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/settings_arguments.h"
#include "auth/dev_key.h"
#include "auth/internal_token.h"
#include "auth/key_file.h"
#include "base/random.h"
#include "media/url_signer.h"

namespace parley::app {

namespace {

// Beside the pair, for JWT_PUBLIC_KEY_FILE of roles that listen beyond loopback.
constexpr const char* kPublicKeyFile = "dev_key.pub.pem";
// For SIGNING_KEYS_FILE, where several instances serve media.
constexpr const char* kSigningKeysFile = "signing-keys";

// A pair that was made anew beside an old public half would lock everybody out, so the two are held together.
Result<> make_public_half(const std::filesystem::path& folder) {
  const auto pair = auth::load_or_create_dev_key(folder);
  if (!pair) return fail(pair.error());
  constexpr std::string_view kWhat = "the public half of the development key";
  const std::filesystem::path path = folder / kPublicKeyFile;
  if (auto written = auth::write_key_file_once(path, pair->public_pem(), kWhat); !written) return written;
  const auto there = auth::read_key_file(path, kWhat);
  if (!there) return fail(there.error());
  if (*there == pair->public_pem()) return {};
  return fail(ErrorKind::kInvalid, "bad_key",
              path.string() + " belongs to another key than " + auth::kDevKeyFile + " beside it; remove it.");
}

Result<> make_keys(const std::filesystem::path& folder) {
  SecureRandom random;
  if (auto made = make_public_half(folder); !made) return made;
  if (auto made = auth::load_or_create_internal_key(folder, random); !made) return fail(std::move(made.error()));
  const auto signing = media::UrlSigner::load_or_create_keys(folder, random);
  if (!signing) return fail(signing.error());
  const NamedSecret& key = signing->front();
  return auth::write_key_file_once(folder / kSigningKeysFile, key.name + ":" + std::string(key.secret.reveal()),
                                   "the keys of signed addresses");
}

int run(const std::string& data_flag) {
  const auto settings = settings_of_folder(data_flag);
  if (!settings) return settings.error();
  if (const auto made = make_keys(settings->serve.data_dir); !made) {
    std::fprintf(stderr, "parley: %s\n", made.error().detail.c_str());
    return 1;
  }
  return 0;
}

}  // namespace

void add_keys_command(CLI::App& app, int& exit_code) {
  auto data_dir = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "keys",
      "Make the keys that roles on several hosts share, where they are missing: a development pair for tokens "
      "with its public half, and the keys of internal calls and of signed addresses");
  command->add_option("--data", *data_dir, "Data folder; DATA_DIR, else ./data");
  command->callback([data_dir, &exit_code] { exit_code = run(*data_dir); });
}

}  // namespace parley::app
