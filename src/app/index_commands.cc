#include "app/index_commands.h"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "app/commands.h"
#include "app/reindex_watch.h"
#include "app/settings_arguments.h"
#include "base/json_writer.h"

namespace parley::app {

namespace {

using boost::json::object;

constexpr std::chrono::hours kCheckTime{2};
constexpr std::chrono::minutes kCatchUpTime{30};  // for an index that has much to take in before it can be checked
constexpr const char* kProblem = "problem: ";

int failed(const std::string& detail) {
  std::fprintf(stderr, "parley: %s\n", detail.c_str());
  return 1;
}

std::string text_of(const object& from, std::string_view name) {
  const boost::json::value* value = from.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

long long number_of(const object& from, std::string_view name) {
  const boost::json::value* value = from.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

// "a, b, c"
std::string list_of(const object& from, std::string_view name) {
  std::string text;
  const boost::json::value* value = from.if_contains(name);
  if (value == nullptr || !value->is_array()) return text;
  for (const boost::json::value& each : value->get_array()) {
    if (!each.is_string()) continue;
    if (!text.empty()) text += ", ";
    text += std::string_view(each.get_string());
  }
  return text;
}

std::vector<std::string> texts_of(const object& from, std::string_view name) {
  std::vector<std::string> texts;
  const boost::json::value* value = from.if_contains(name);
  if (value == nullptr || !value->is_array()) return texts;
  for (const boost::json::value& each : value->get_array()) {
    if (each.is_string()) texts.emplace_back(each.get_string());
  }
  return texts;
}

void print_report(const object& report) {
  std::printf("search: %lld conversations, %lld messages in the store, %lld in the index, %lld dead letters\n",
              number_of(report, "conversations"), number_of(report, "messages"), number_of(report, "indexed"),
              number_of(report, "dead_letters"));
  const boost::json::value* differences = report.if_contains("differences");
  if (differences == nullptr || !differences->is_array()) return;
  for (const boost::json::value& each : differences->get_array()) {
    if (!each.is_object()) continue;
    const object& difference = each.get_object();
    std::string line = kProblem + ("search, tenant " + text_of(difference, "tenant")) + ", conversation " +
                       text_of(difference, "conversation_id") + ": " + std::to_string(number_of(difference, "stored")) +
                       " messages in the store, " + std::to_string(number_of(difference, "indexed")) + " in the index";
    for (const char* kind : {"missing", "surplus", "different"}) {
      if (const std::string ids = list_of(difference, kind); !ids.empty())
        line += "; " + std::string(kind) + ": " + ids;
    }
    std::puts(line.c_str());
  }
  const auto shown = static_cast<long long>(differences->get_array().size());
  if (number_of(report, "differing") > shown) {
    std::printf("%sand %lld more conversations\n", kProblem, number_of(report, "differing") - shown);
  }
}

// An index that is still taking in what was written is asked again.
Result<object> ask_for_check(SearchHost& host, bool repair) {
  const auto until = std::chrono::steady_clock::now() + kCatchUpTime;
  for (;;) {
    auto answer = host.ask(http::Method::kPost, "/internal/check", repair ? R"({"repair":true})" : "{}", kCheckTime);
    if (!answer) return fail(std::move(answer.error()));
    if (answer->status == 200) return std::move(answer->body);
    if (answer->code() != "index_behind" || std::chrono::steady_clock::now() > until) {
      return fail(ErrorKind::kUnavailable, answer->code(), answer->detail());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

int watch(SearchHost& host, const std::string& id, bool is_ours) {
  if (!is_ours) std::fprintf(stderr, "parley: a reindex is under way already, %s; watching it\n", id.c_str());
  const auto ended = watch_reindex(host, id);
  if (!ended) return failed(ended.error().detail);
  std::printf("reindexed: %lld messages, %lld conversations, %lld users\n", number_of(*ended, "messages"),
              number_of(*ended, "conversations"), number_of(*ended, "users"));
  return 0;
}

}  // namespace

bool has_index(const Settings& settings, const SearchHostOptions& where) {
  std::error_code error;
  return !where.url.empty() || !settings.engines.elasticsearch_url.empty() ||
         std::filesystem::exists(settings.serve.data_dir / "search" / "search.db", error);
}

int reindex(const Settings& settings, const SearchHostOptions& where, const std::string& tenant) {
  auto host = SearchHost::open(settings, where);
  if (!host) return failed(host.error().detail);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  if (!tenant.empty()) json.key("tenant").string(tenant);
  json.end_object();
  auto started = (*host)->ask(http::Method::kPost, "/internal/reindex", body);
  if (!started) return failed((*host)->where() + ": " + started.error().detail);
  if (started->status == 202) return watch(**host, text_of(started->body, "id"), true);
  if (started->code() == "reindex_running") return watch(**host, text_of(started->body, "reindex_id"), false);
  if (started->status == 404 && !tenant.empty()) return failed("there is no tenant " + tenant);
  return failed(started->detail());
}

int check_index(const Settings& settings, const SearchHostOptions& where, bool repair) {
  auto host = SearchHost::open(settings, where);
  if (!host) return failed(host.error().detail);
  auto report = ask_for_check(**host, repair);
  if (!report) return failed((*host)->where() + ": " + report.error().detail);
  print_report(*report);
  if (number_of(*report, "differing") == 0) return 0;
  if (!repair) {
    std::puts("`parley check --repair` builds the index of these tenants anew");
    return 1;
  }
  for (const std::string& id : texts_of(*report, "reindexes")) {
    if (const int code = watch(**host, id, true); code != 0) return code;
  }
  report = ask_for_check(**host, false);
  if (!report) return failed((*host)->where() + ": " + report.error().detail);
  print_report(*report);
  return number_of(*report, "differing") == 0 ? 0 : 1;
}

void add_reindex_command(CLI::App& app, int& exit_code) {
  struct Arguments {
    std::string data_dir, tenant;
    SearchHostOptions where;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("reindex", "Build the search index anew from the store, while the old one serves");
  command->add_option("--data", arguments->data_dir, "Data folder; DATA_DIR, else ./data");
  command->add_option("--tenant", arguments->tenant, "This tenant alone; all of them without it");
  command->add_option("--url", arguments->where.url,
                      "Address of the search role, such as http://search-host:3006, where it is not on this folder");
  command->add_option("--ca-file", arguments->where.ca_file,
                      "Certificate authorities for https, instead of the system's");
  command->footer(
      "Where a server holds the index of the folder, it is asked to do this, at the address it left there\n"
      "(DIR/search/address; without that file, SEARCH_PORT on this host); where none does, this command does it.\n"
      "A reindex that is cut off goes on with the next server on the folder.");
  command->callback([arguments, &exit_code] {
    const auto settings =
        arguments->where.url.empty() ? settings_of_store(arguments->data_dir) : settings_of_folder(arguments->data_dir);
    exit_code = settings ? reindex(*settings, arguments->where, arguments->tenant) : settings.error();
  });
}

}  // namespace parley::app
