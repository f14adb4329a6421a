#include "app/settings_arguments.h"

#include <cstdio>

namespace parley::app {

std::optional<LoadedSettings> load_settings_of(const CLI::App& command) {
  std::vector<std::string> flags = command.remaining();
  auto loaded = load_settings(process_environment(), flags);
  if (loaded) return std::move(*loaded);
  for (const std::string& fault : loaded.error()) std::fprintf(stderr, "parley: %s\n", fault.c_str());
  return std::nullopt;
}

}  // namespace parley::app
