// The subcommands of `parley`, but for import, which has a folder of its own. Each function adds one to the command
// line; when it is the one called, parsing runs it and sets `exit_code`: 0 done, 1 failed, 2 the arguments or settings
// are off.
#pragma once
#include <string_view>

namespace CLI {
class App;
}

namespace parley::app {

inline constexpr std::string_view kVersion = PARLEY_VERSION;

// Runs roles until SIGTERM or SIGINT.
void add_serve_command(CLI::App& app, int& exit_code);
// Prints a token signed with the development key of a data folder, and nothing else.
void add_token_command(CLI::App& app, int& exit_code);
// Makes the keys that roles on several hosts share, where they are missing.
void add_keys_command(CLI::App& app, int& exit_code);
// Whether the server on this host lives.
void add_health_command(CLI::App& app, int& exit_code);
// Whether the data folder holds what it promises, and the search index what the store does; a running server does not
// mind.
void add_check_command(CLI::App& app, int& exit_code);
// Builds the search index anew from the store, in a running server or here.
void add_reindex_command(CLI::App& app, int& exit_code);
// Copies the stores of a data folder as snapshots; a running server does not mind.
void add_backup_command(CLI::App& app, int& exit_code);
// Moves what a data folder holds to the engines, or back; but for the last pass a running server does not mind.
void add_migrate_command(CLI::App& app, int& exit_code);
// Shows every setting with the value in force.
void add_config_command(CLI::App& app, int& exit_code);
// Makes the thumbnails of one picture, for the server, and ends the process. In no list of commands.
void add_thumbnail_command(CLI::App& app);

}  // namespace parley::app
