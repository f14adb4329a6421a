#include "app/settings_arguments.h"

#include <cstdio>
#include <filesystem>

namespace parley::app {

std::optional<LoadedSettings> load_settings_of(const CLI::App& command) {
  std::vector<std::string> flags = command.remaining();
  auto loaded = load_settings(process_environment(), flags);
  if (loaded) return std::move(*loaded);
  for (const std::string& fault : loaded.error()) std::fprintf(stderr, "parley: %s\n", fault.c_str());
  return std::nullopt;
}

std::expected<Settings, int> settings_of_folder(const std::string& data_flag) {
  std::vector<std::string> flags;
  if (!data_flag.empty()) flags = {"--data", data_flag};
  auto loaded = load_settings(process_environment(), flags);
  if (loaded) return std::move(loaded->settings);
  for (const std::string& fault : loaded.error()) std::fprintf(stderr, "parley: %s\n", fault.c_str());
  return std::unexpected(2);
}

std::expected<Settings, int> settings_of_store(const std::string& data_flag) {
  auto settings = settings_of_folder(data_flag);
  if (!settings) return settings;
  const std::filesystem::path& folder = settings->serve.data_dir;
  std::error_code error;
  if (std::filesystem::status(folder / "messaging" / "messaging.db", error).type() ==
      std::filesystem::file_type::not_found) {
    std::fprintf(stderr, "parley: there is no messaging store in %s; --data or DATA_DIR names the data folder\n",
                 folder.c_str());
    return std::unexpected(1);
  }
  return settings;
}

}  // namespace parley::app
