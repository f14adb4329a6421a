// `parley migrate`: moves what a data folder holds to the engines, or back (ADR 31). Beside running servers it copies
// what there is, as often as one likes; with --cut-over, once they are stopped, it copies the rest, compares
// everything, and gives the target free to be served.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/engine_wait.h"
#include "app/mongo_engine.h"
#include "app/move_files.h"
#include "app/move_messages.h"
#include "app/settings_arguments.h"
#include "drivers/mongo/moved_database.h"

namespace parley::app {

namespace {

struct MigrateArguments {
  std::string data_dir;
  std::string from;
  std::string to;
  bool cut_over = false;
  bool verify = false;
  bool accept_lost = false;
};

int wrong(const char* detail) {
  std::fprintf(stderr, "parley: %s\n", detail);
  return 2;
}

int failed(const Error& error) {
  std::fprintf(stderr, "parley: %s\n", error.detail.c_str());
  return 1;
}

// Waits for MongoDB, whose replica set may be being made. A folder is locked by its server; in MongoDB it is looked
// for. A source may be served while it is copied.
Result<> expect_no_servers(const Settings& settings, MoveSides sides) {
  const SystemClock clock;
  const std::chrono::seconds longest = settings.engines.wait;
  auto database = wait_for_engine(
      "MongoDB (MONGODB_URI)", longest,
      [&] { return mongo::MovedDatabase::connect(mongo_connection_of_a_move(settings.mongodb), clock); },
      [&](const std::string&, const std::string& reason) {
        std::fprintf(stderr, "parley: %s Asking again, for %lld s at most (ENGINE_WAIT_SECONDS).\n", reason.c_str(),
                     static_cast<long long>(longest.count()));
      });
  if (!database) return fail(std::move(database.error()));
  if (sides.compared_only || !(sides.to_engines || sides.alone)) return {};
  return (*database)->expect_unused();
}

// Both stores, as far as the source has them: where roles run apart, a folder may hold one.
class Move {
 public:
  static Result<Move> open(const Settings& settings, MoveSides sides) {
    if (auto unused = expect_no_servers(settings, sides); !unused) return fail(std::move(unused.error()));
    auto messages = MoveOfMessages::open(settings, sides);
    if (!messages) return fail(std::move(messages.error()));
    auto files = MoveOfFiles::open(settings, sides);
    if (!files) return fail(std::move(files.error()));
    if (*messages || *files) return Move(std::move(*messages), std::move(*files));
    return sides.to_engines ? unavailable("not_our_file", settings.serve.data_dir.string() + " holds no store.")
                            : unavailable("not_our_database", "The database of MONGODB_DATABASE holds no store.");
  }

  Result<> copy() {
    if (messages_ && !messages_done_) {
      if (auto copied = messages_->copy(); !copied) return copied;
    }
    if (files_ && !files_done_) return files_->copy();
    return {};
  }
  Result<bool> verify(bool deep) {
    bool equal = true;
    if (messages_) {
      auto same = messages_->verify();
      if (!same) return same;
      equal = *same;
    }
    if (!files_) return equal;
    auto same = files_->verify(deep);
    if (!same) return same;
    return equal && *same;
  }
  // One of both may be, where the last pass was killed at its very end.
  Result<bool> is_finished() {
    for (auto [done, finished] : {std::pair(messages_ ? messages_->is_finished() : Result<bool>(true), &messages_done_),
                                  std::pair(files_ ? files_->is_finished() : Result<bool>(true), &files_done_)}) {
      if (!done) return fail(std::move(done.error()));
      *finished = *done;
    }
    return messages_done_ && files_done_;
  }
  Result<> finish() {
    // Both are asked before either is finished.
    if (files_) {
      if (auto same = files_->expect_unchanged(); !same) return same;
    }
    if (messages_) {
      if (auto same = messages_->expect_unchanged(); !same) return same;
    }
    if (files_ && !files_done_) {
      if (auto done = files_->finish(); !done) return done;
    }
    if (messages_ && !messages_done_) return messages_->finish();
    return {};
  }

 private:
  Move(std::unique_ptr<MoveOfMessages> messages, std::unique_ptr<MoveOfFiles> files)
      : messages_(std::move(messages)), files_(std::move(files)) {}

  std::unique_ptr<MoveOfMessages> messages_;
  std::unique_ptr<MoveOfFiles> files_;
  bool messages_done_ = false;
  bool files_done_ = false;
};

int copy(Move& move) {
  if (auto copied = move.copy(); !copied) return failed(copied.error());
  std::puts(
      "Copied what there was. Run this again to copy what changed since; then stop the old servers and run it with "
      "--cut-over.");
  return 0;
}

int cut_over(Move& move) {
  const auto finished = move.is_finished();
  if (!finished) return failed(finished.error());
  if (!*finished) {
    if (auto copied = move.copy(); !copied) return failed(copied.error());
  }
  const auto equal = move.verify(false);
  if (!equal) return failed(equal.error());
  if (!*equal) {
    std::puts(*finished ? "This move was finished before; the two have changed since."
                        : "The target is not what the source is, and stays closed. Run this again, or begin with an "
                          "empty target.");
    return 1;
  }
  if (*finished) {
    std::puts("This move was finished before, and nothing has changed since.");
    return 0;
  }
  if (auto done = move.finish(); !done) return failed(done.error());
  std::puts(
      "Moved. Start the new servers; search reads the store into its index when it starts there. Once they have taken "
      "writes, the old ones must not be started again.");
  return 0;
}

int migrate(const MigrateArguments& arguments) {
  if (arguments.from == arguments.to) return wrong("--from and --to are the same");
  if (arguments.cut_over && arguments.verify) return wrong("--verify changes nothing, and --cut-over does");
  auto settings = settings_of_folder(arguments.data_dir);
  if (!settings) return settings.error();
  if (settings->mongodb.uri.empty()) return wrong("MONGODB_URI says where the engines' store is; it is not set");
  auto move = Move::open(*settings, {.to_engines = arguments.to == "engines",
                                     .alone = arguments.cut_over,
                                     .compared_only = arguments.verify,
                                     .accept_lost = arguments.accept_lost});
  if (!move) return failed(move.error());
  if (!arguments.verify) return arguments.cut_over ? cut_over(*move) : copy(*move);
  const auto equal = move->verify(true);
  if (!equal) return failed(equal.error());
  std::puts(*equal ? "equal" : "not equal");
  return *equal ? 0 : 1;
}

}  // namespace

void add_migrate_command(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<MigrateArguments>();
  CLI::App* command = app.add_subcommand(
      "migrate", "Move what a data folder holds to the engines, or back, with every id, seq and key");
  const CLI::IsMember places({"embedded", "engines"});
  command->add_option("--from", arguments->from, "embedded: the data folder; engines: MONGODB_URI and its like")
      ->required()
      ->check(places);
  command->add_option("--to", arguments->to, "The other of the two; it must be empty when the move begins")
      ->required()
      ->check(places);
  command->add_option("--data", arguments->data_dir, "Data folder; DATA_DIR, else ./data");
  command->add_flag("--cut-over", arguments->cut_over,
                    "The last pass, with the old servers stopped: copy the rest, compare everything, open the target");
  command->add_flag("--verify", arguments->verify, "Only compare the two, by counts and checksums, files' bytes too");
  command->add_flag("--accept-lost", arguments->accept_lost,
                    "Files of which neither side has the bytes are named, and do not stand in the way");
  command->footer(
      "Without --cut-over it runs beside the old servers, and may be run again: it copies what changed. One that was\n"
      "killed is just run again. No server opens the target before the move is finished.\n"
      "Exit code: 0 done, 1 it failed or the two differ, 2 the arguments or settings are off.");
  command->callback([arguments, &exit_code] { exit_code = migrate(*arguments); });
}

}  // namespace parley::app
