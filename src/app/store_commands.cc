// `parley check` and `parley backup`: the host's own commands on a data folder. Both only read it, each as one
// snapshot.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <expected>
#include <filesystem>

#include "app/commands.h"
#include "config/settings.h"
#include "messaging/stores/sqlite_check.h"

namespace parley::app {

namespace {

namespace fs = std::filesystem;

// DATA_DIR, or what --data says, if there is a store in it; else, after a word on stderr, the exit code.
std::expected<fs::path, int> data_folder(const std::string& flag) {
  std::vector<std::string> flags;
  if (!flag.empty()) flags = {"--data", flag};
  const auto loaded = load_settings(process_environment(), flags);
  if (!loaded) {
    for (const std::string& fault : loaded.error()) std::fprintf(stderr, "parley: %s\n", fault.c_str());
    return std::unexpected(2);
  }
  const fs::path folder = loaded->settings.serve.data_dir;
  std::error_code error;
  if (fs::status(folder / "messaging" / "messaging.db", error).type() == fs::file_type::not_found) {
    std::fprintf(stderr, "parley: there is no messaging store in %s; --data or DATA_DIR names the data folder\n",
                 folder.c_str());
    return std::unexpected(1);
  }
  return folder;
}

int check(const std::string& data_dir) {
  const auto folder = data_folder(data_dir);
  if (!folder) return folder.error();
  const auto report = messaging::check_messaging_folder(*folder / "messaging");
  if (!report) {
    std::fprintf(stderr, "parley: %s\n", report.error().detail.c_str());
    return 1;
  }
  std::printf("messaging: %lld conversations, %lld messages, %lld events\n",
              static_cast<long long>(report->conversations), static_cast<long long>(report->messages),
              static_cast<long long>(report->events));
  for (const std::string& problem : report->problems) std::printf("problem: %s\n", problem.c_str());
  if (report->problems.size() == messaging::kMaxProblems) std::puts("problem: and perhaps more; the list is cut here");
  std::puts(report->ok() ? "ok" : "not ok");
  return report->ok() ? 0 : 1;
}

int backup(const std::string& data_dir, const std::string& target) {
  const auto folder = data_folder(data_dir);
  if (!folder) return folder.error();
  std::error_code error;
  fs::create_directories(target, error);
  if (!error) fs::permissions(target, fs::perms::owner_all, error);
  if (error) {
    std::fprintf(stderr, "parley: cannot make the folder %s: %s\n", target.c_str(), error.message().c_str());
    return 1;
  }
  const fs::path into = fs::path(target) / "messaging";
  fs::create_directories(into, error);
  if (!error) fs::permissions(into, fs::perms::owner_all, error);
  if (fs::exists(into / "messaging.db")) {
    std::fprintf(stderr, "parley: there is a store in %s already; a backup goes into a folder of its own\n",
                 into.c_str());
    return 1;
  }
  if (const auto done = messaging::backup_messaging_folder(*folder / "messaging", into / "messaging.db"); !done) {
    std::fprintf(stderr, "parley: %s\n", done.error().detail.c_str());
    return 1;
  }
  std::printf("%s\n", (into / "messaging.db").c_str());
  return 0;
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_code) {
  auto data_dir = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("check", "Check that a data folder holds what it promises");
  command->add_option("--data", *data_dir, "Data folder; DATA_DIR, else ./data");
  command->footer("Exit code: 0 all is well, 1 it is not, or the folder cannot be read.");
  command->callback([data_dir, &exit_code] { exit_code = check(*data_dir); });
}

void add_backup_command(CLI::App& app, int& exit_code) {
  auto data_dir = std::make_shared<std::string>();
  auto target = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("backup", "Copy the stores of a data folder, each as one snapshot");
  command->add_option("--data", *data_dir, "Data folder; DATA_DIR, else ./data");
  command->add_option("TARGET", *target, "Folder to copy to; it is itself a data folder that `serve` can run on")
      ->required();
  command->callback([data_dir, target, &exit_code] { exit_code = backup(*data_dir, *target); });
}

}  // namespace parley::app
