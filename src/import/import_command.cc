#include "import/import_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <thread>

#include "base/event_loop.h"
#include "http/http_upstream.h"
#include "import/import_run.h"
#include "import/irc_log.h"
#include "import/irc_source.h"
#include "import/jsonl_source.h"
#include "import/slack_source.h"
#include "import/upstream_api.h"

namespace parley::import {

namespace {

constexpr std::size_t kMaxJobs = 16;

// What is wrong with the options themselves; empty: nothing.
std::string fault_of_options(const ImportOptions& options) {
  if (options.format != "irc" && options.format != "jsonl" && options.format != "slack") {
    return "--format must be irc, jsonl or slack";
  }
  if (!options.date.empty() && !parse_date(options.date)) return "--date must be a day as 2004-12-25";
  if (options.jobs < 1 || options.jobs > kMaxJobs) return "--jobs must be from 1 to 16";
  if (options.retry_for_s > 86'400) return "--retry-for must be from 0 to 86400 seconds";
  if (!options.conversation_prefix.empty() && !is_valid_id(options.conversation_prefix)) {
    return "--conversation-prefix must be " + std::string(kIdRule);
  }
  if (options.dry_run) return {};
  if (!http::parse_url(options.url)) return "--url must be http://host[:port] or https://host[:port]";
  if (options.token.empty()) return "a token is needed: PARLEY_TOKEN or --token, of an admin or service";
  if (!std::ranges::all_of(options.token, [](char c) { return c > 0x20 && c < 0x7f; })) {
    return "the token has characters that no token has";
  }
  if (!options.act_as.empty() && !is_valid_id(options.act_as)) return "--as must be a user id: " + std::string(kIdRule);
  return {};
}

Result<std::unique_ptr<ImportSource>> open_source(const ImportOptions& options, const Clock& clock) {
  if (options.format == "slack") {
    auto source = SlackSource::open(options.path, options.conversation_prefix, clock);
    if (!source) return std::unexpected(std::move(source.error()));
    return std::move(*source);
  }
  if (options.format == "irc") {
    auto files = find_source_files(options.path, {".txt", ".log"});
    if (!files) return std::unexpected(std::move(files.error()));
    return std::make_unique<IrcSource>(std::move(*files),
                                       IrcOptions{options.conversation_prefix, parse_date(options.date)}, clock);
  }
  auto files = find_source_files(options.path, {".jsonl", ".ndjson"});
  if (!files) return std::unexpected(std::move(files.error()));
  return std::make_unique<JsonlSource>(std::move(*files), options.conversation_prefix, clock);
}

Progress progress_for(const ImportOptions& options, bool on_terminal) {
  if (options.quiet) return Progress::kNone;
  return on_terminal ? Progress::kBar : Progress::kLines;
}

// The client and the loop it lives on, for as long as the import takes.
void import_over_http(ImportSource& source, const ImportOptions& options, ImportReport& report, const Clock& clock) {
  http::HttpUpstreamOptions upstream_options{.name = "The server at " + options.url,
                                             .url = *http::parse_url(options.url)};
  if (upstream_options.url.tls) {
    auto tls = http::make_client_tls(options.ca_file);
    if (!tls) return report.failed(std::move(tls.error()));
    upstream_options.tls = std::move(*tls);
  }
  SecureRandom random;
  EventLoops loops(1);
  http::HttpUpstream upstream(loops, std::move(upstream_options));
  loops.start();
  {
    UpstreamApi api(loops.at(0), upstream, {.token = options.token, .act_as = options.act_as, .address = options.url});
    const SenderOptions sender{.retry_for = std::chrono::seconds(options.retry_for_s),
                               .pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }};
    run_import_from(source, &api, report, clock, random, {.jobs = options.jobs, .sender = sender});
  }
  loops.stop();
}

}  // namespace

int run_import(const ImportOptions& options, std::ostream& out, std::ostream& err, bool on_terminal) {
  if (const std::string fault = fault_of_options(options); !fault.empty()) {
    err << "parley import: " << fault << '\n';
    return kBadArguments;
  }
  const SystemClock clock;
  auto source = open_source(options, clock);
  if (!source) {
    err << "parley import: " << source.error().detail << '\n';
    return kBadArguments;
  }
  ImportReport report(err, progress_for(options, on_terminal), clock);
  if (options.dry_run) {
    SecureRandom random;
    run_import_from(**source, nullptr, report, clock, random, {});
  } else {
    import_over_http(**source, options, report, clock);
  }
  out << report.summary(options.format, options.dry_run) << std::flush;
  if (report.failure()) {
    err << "parley import: " << report.failure()->detail
        << "\nNot all was imported. When that is mended, run the same command again: what is there already is not "
        << "imported twice.\n";
    return kFailed;
  }
  return report.has_faults() ? kSomeLeftOut : kAllImported;
}

int run_import(const ImportOptions& options) {
  return run_import(options, std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1);
}

void add_import_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand("import", "Bring chat from elsewhere into Parley, over its API");
  command->add_option("path", options->path, "File or folder to import")->required();
  command->add_option("--format", options->format, "irc, jsonl or slack")->required();
  command->add_option("--url", options->url, "Address of the gateway")->capture_default_str();
  command->add_option("--token", options->token, "Token of a tenant admin or service; better by PARLEY_TOKEN")
      ->envname("PARLEY_TOKEN");
  command->add_option("--as", options->act_as, "With a service token: the user who becomes the owner");
  command->add_option("--ca-file", options->ca_file, "Certificate authorities for https, instead of the system's");
  command->add_option("--conversation-prefix", options->conversation_prefix, "Put before each conversation's id");
  command->add_option("--date", options->date, "irc: day of files without one in their name, as 2004-12-25");
  command->add_option("--jobs", options->jobs, "Batches sent at once, 1 to 16")->capture_default_str();
  command->add_option("--retry-for", options->retry_for_s, "Seconds to ask again for while the server is away")
      ->capture_default_str();
  command->add_flag("--dry-run", options->dry_run, "Read and count only; needs no server and no token");
  command->add_flag("--quiet", options->quiet, "No progress; faults and the summary only");
  command->callback([options, &exit_code] { exit_code = run_import(*options); });
}

}  // namespace parley::import
