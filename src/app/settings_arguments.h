// For commands whose flags are the settings (serve, config): every setting of docs/configuration.md is a flag, and the
// command line library need not know them one by one.
#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"

namespace parley::app {

// The settings in force for `command`, whose further arguments are taken as settings' flags. Faults go to stderr, one a
// line, and the answer is none.
std::optional<LoadedSettings> load_settings_of(const CLI::App& command);

// Likewise for the host's commands on a data folder, which take --data alone; else the exit code, after a word on
// stderr.
std::expected<Settings, int> settings_of_folder(const std::string& data_flag);
// The same, if there is a messaging store in the folder.
std::expected<Settings, int> settings_of_store(const std::string& data_flag);

}  // namespace parley::app
