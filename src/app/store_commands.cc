// `parley check` and `parley backup`: the host's own commands on a data folder. Of the store both only read, each as
// one snapshot; in MongoDB the check reads a snapshot for each conversation.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/index_commands.h"
#include "app/media_backup.h"
#include "app/media_check.h"
#include "app/mongo_engine.h"
#include "app/settings_arguments.h"
#include "messaging/stores/mongo_check.h"
#include "messaging/stores/sqlite_check.h"

namespace parley::app {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStoreTime{60};  // for one question to MongoDB, of a large conversation maybe

struct CheckArguments {
  std::string data_dir;
  SearchHostOptions search;
  MediaCheckOptions media;
  bool repair = false;
};

// Answers whether all is well, and nothing when the store cannot be read.
std::optional<bool> check_messaging(const Settings& settings) {
  const auto report = messaging::check_messaging_folder(settings.serve.data_dir / "messaging");
  if (!report) {
    std::fprintf(stderr, "parley: %s\n", report.error().detail.c_str());
    return std::nullopt;
  }
  std::printf("messaging: %lld conversations, %lld messages, %lld events\n",
              static_cast<long long>(report->conversations), static_cast<long long>(report->messages),
              static_cast<long long>(report->events));
  for (const std::string& problem : report->problems) std::printf("problem: %s\n", problem.c_str());
  if (report->problems.size() == sqlite::kMaxProblems) std::puts("problem: and perhaps more; the list is cut here");
  return report->ok();
}

bool is_in_mongodb(const Settings& settings) {
  return !settings.mongodb.uri.empty();
}

// Answers as check_messaging() does.
std::optional<bool> check_messaging_there(const Settings& settings) {
  const SystemClock clock;
  mongo::ConnectionOptions connection = mongo_connection(settings.mongodb);
  connection.size = 1;
  connection.timeout = std::max<std::chrono::milliseconds>(connection.timeout, kStoreTime);
  auto pool = mongo::ClientPool::open(connection, clock);
  Result<messaging::MongoCheckReport> report;
  if (pool) {
    report = messaging::check_messaging_in_mongodb(**pool);
  } else {
    report = fail(std::move(pool.error()));
  }
  if (!report) {
    std::fprintf(stderr, "parley: messaging: %s\n", report.error().detail.c_str());
    return std::nullopt;
  }
  std::printf("messaging: in MongoDB (MONGODB_URI), %lld conversations, %lld messages, %lld events\n",
              static_cast<long long>(report->conversations), static_cast<long long>(report->messages),
              static_cast<long long>(report->events));
  if (report->open_numbers > 0) {
    std::printf(
        "messaging: %lld numbers of the log are open: of writes under way, or of a process that died, which whoever "
        "reads next fills\n",
        static_cast<long long>(report->open_numbers));
  }
  for (std::size_t i = 0; i < std::min(report->problems.size(), sqlite::kMaxProblems); ++i) {
    std::printf("problem: %s\n", report->problems[i].c_str());
  }
  if (report->problems.size() > sqlite::kMaxProblems) std::puts("problem: and more; the list is cut here");
  return report->ok();
}

// Of messaging's store, and of the index once the store is well.
bool check_messages(const Settings& settings, const CheckArguments& arguments) {
  const auto ok = is_in_mongodb(settings) ? check_messaging_there(settings) : check_messaging(settings);
  if (!ok.value_or(false)) {
    if (ok) std::puts("search: not looked at, for the store comes first");
    return false;
  }
  if (has_index(settings, arguments.search)) return check_index(settings, arguments.search, arguments.repair) == 0;
  std::puts("search: there is no index in this folder");
  return true;
}

int check(const CheckArguments& arguments) {
  auto settings = settings_of_folder(arguments.data_dir);
  if (!settings) return settings.error();
  const bool media = has_media(*settings);
  const bool elsewhere = is_in_mongodb(*settings);
  if (!media && !elsewhere) settings = settings_of_store(arguments.data_dir);
  if (!settings) return settings.error();
  const fs::path messaging = settings->serve.data_dir / "messaging" / "messaging.db";
  std::error_code unknown;
  bool ok = true;
  // Where media runs alone, there are no messages.
  if (!media || elsewhere || fs::exists(messaging, unknown)) ok = check_messages(*settings, arguments);
  if (media || elsewhere) ok = check_media(*settings, arguments.media) == 0 && ok;
  std::puts(ok ? "ok" : "not ok");
  return ok ? 0 : 1;
}

int failed(const std::string& detail) {
  std::fprintf(stderr, "parley: %s\n", detail.c_str());
  return 1;
}

bool make_private(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) failed("cannot make the folder " + folder.string() + ": " + error.message());
  return !error;
}

int backup_messaging(const fs::path& from, const fs::path& into) {
  if (const auto done = messaging::backup_messaging_folder(from, into / "messaging.db"); !done) {
    return failed(done.error().detail);
  }
  std::printf("%s\n", (into / "messaging.db").c_str());
  return 0;
}

int backup(const std::string& data_dir, const std::string& target) {
  auto settings = settings_of_folder(data_dir);
  if (!settings) return settings.error();
  // A store that was left in the folder would pass for the present one.
  if (is_in_mongodb(*settings)) {
    return failed(
        "messages and what is known of files are in MongoDB (MONGODB_URI): copy them with mongodump, and the bytes of "
        "files where they are; without MONGODB_URI this command copies what is in the folder");
  }
  const bool media = has_media(*settings);
  if (!media) settings = settings_of_store(data_dir);
  if (!settings) return settings.error();
  const fs::path& folder = settings->serve.data_dir;
  std::error_code unknown;
  const bool messages = !media || fs::exists(folder / "messaging" / "messaging.db", unknown);
  if (!make_private(target)) return 1;
  for (const char* file : {"messaging/messaging.db", "media/media.db"}) {
    const fs::path store = fs::path(target) / file;
    if (fs::exists(store, unknown)) {
      return failed("there is a store in " + store.parent_path().string() +
                    " already; a backup goes into a folder of its own");
    }
  }
  // Messages first: a file is there before the message that names it.
  int code = 0;
  if (messages) {
    const fs::path into = fs::path(target) / "messaging";
    code = make_private(into) ? backup_messaging(folder / "messaging", into) : 1;
  }
  if (code == 0 && media) {
    const fs::path into = fs::path(target) / "media";
    code = make_private(into) ? backup_media(*settings, into) : 1;
  }
  return code;
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command = app.add_subcommand("check", "Check that a data folder holds what it promises");
  command->add_option("--data", arguments->data_dir, "Data folder; DATA_DIR, else ./data");
  command->add_flag("--repair", arguments->repair,
                    "Build the search index anew for the tenants where it differs; remove objects that belong to no "
                    "file, and mend quotas, where no server runs");
  command->add_flag("--deep", arguments->media.read_bytes, "Read every file's bytes, and compare their SHA-256");
  command->add_option("--url", arguments->search.url,
                      "Address of the search role, such as http://search-host:3006, where it is not on this folder");
  command->add_option("--ca-file", arguments->search.ca_file,
                      "Certificate authorities for https, instead of the system's");
  command->footer(
      "Stores and files are read beside a running server. Where one holds the index of the folder, it compares the\n"
      "index itself, and is asked at the address it left there (DIR/search/address; without that file, SEARCH_PORT on\n"
      "this host); where none does, this command compares it. --url names another.\n"
      "Exit code: 0 all is well, 1 it is not, or the folder cannot be read.");
  command->callback([arguments, &exit_code] {
    arguments->media.repair = arguments->repair;
    exit_code = check(*arguments);
  });
}

void add_backup_command(CLI::App& app, int& exit_code) {
  auto data_dir = std::make_shared<std::string>();
  auto target = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("backup", "Copy the stores of a data folder, each as one snapshot, and the files");
  command->add_option("--data", *data_dir, "Data folder; DATA_DIR, else ./data");
  command->add_option("TARGET", *target, "Folder to copy to; it is itself a data folder that `serve` can run on")
      ->required();
  command->callback([data_dir, target, &exit_code] { exit_code = backup(*data_dir, *target); });
}

}  // namespace parley::app
