#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/commands.h"
#include "app/settings_arguments.h"

namespace parley::app {

void add_config_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("config", "Show every setting: value in force, where it came from, bounds, meaning");
  command->allow_extras();
  auto explain = std::make_shared<bool>(false);
  command->add_flag("--explain", *explain, "Explain each setting (what this command does in any case)");
  command->footer("Takes every flag that `parley serve` takes, to show what it would do.");
  command->callback([command, explain, &exit_code] {
    const auto loaded = load_settings_of(*command);
    if (!loaded) {
      exit_code = 2;
      return;
    }
    std::fputs(explain_settings(*loaded).c_str(), stdout);
  });
}

}  // namespace parley::app
