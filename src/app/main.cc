// parley: one binary, its subcommands. Each command's own file says what it does; this one only names them.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "app/commands.h"
#include "import/import_command.h"

namespace {
constexpr int kWrongUsage = 2;
}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer or a pipe that closed is an error code where it is written to

  CLI::App app("Parley: a self-hosted, multi-tenant chat backend.", "parley");
  app.set_version_flag("--version", std::string(parley::app::kVersion));
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Show the help of every command");

  int exit_code = 0;
  parley::app::add_serve_command(app, exit_code);
  parley::app::add_token_command(app, exit_code);
  parley::app::add_keys_command(app, exit_code);
  parley::app::add_health_command(app, exit_code);
  parley::import::add_import_command(app, exit_code);
  parley::app::add_check_command(app, exit_code);
  parley::app::add_reindex_command(app, exit_code);
  parley::app::add_backup_command(app, exit_code);
  parley::app::add_migrate_command(app, exit_code);
  parley::app::add_config_command(app, exit_code);
  parley::app::add_thumbnail_command(app);

  const std::string first = argc > 1 ? argv[1] : "";
  const auto is_first = [&first](const CLI::App* command) { return command->get_name() == first; };
  if (!first.empty() && first.front() != '-' && app.get_subcommands(is_first).empty()) {
    std::fprintf(stderr, "parley: there is no command %s; parley --help lists them\n", argv[1]);
    return kWrongUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    // What --help and --version end with is no fault; the library has a number for each of the others.
    return app.exit(fault) == 0 ? 0 : kWrongUsage;
  }
  return exit_code;
}
