// `parley import`: its options, and the whole of what it does. Called by main, on its thread; docs/import.md says what
// it promises.
#pragma once
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>

namespace CLI {
class App;
}

namespace parley::import {

struct ImportOptions {
  std::filesystem::path path;
  std::string format;  // irc, jsonl or slack
  std::string url = "http://127.0.0.1:3000";
  std::string token;  // never shown
  std::string act_as;
  std::string ca_file;
  std::string conversation_prefix;
  std::string date;  // YYYY-MM-DD, or empty
  std::size_t jobs = 4;
  std::size_t retry_for_s = 120;
  bool dry_run = false;
  bool quiet = false;
};

enum ExitCode : int {
  kAllImported = 0,  // all that is a message by the format's rules
  kFailed = 1,       // stopped before the end; a rerun goes on from there
  kBadArguments = 2,
  kSomeLeftOut = 3,  // came to the end, but some lines, files or conversations had faults
};

// The summary goes to `out`, progress and faults to `err`. `on_terminal`: whether `err` is one.
int run_import(const ImportOptions& options, std::ostream& out, std::ostream& err, bool on_terminal);
// The same with the process's own stdout and stderr.
int run_import(const ImportOptions& options);

// Adds the subcommand; when it is the one called, parsing runs it and sets `exit_code`.
void add_import_command(CLI::App& app, int& exit_code);

}  // namespace parley::import
