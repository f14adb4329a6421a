#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "app/commands.h"
#include "app/own_address.h"
#include "app/settings_arguments.h"
#include "base/run_on_loop.h"
#include "http/http_upstream.h"
#include "http/tls.h"
#include "http/upstream_question.h"

namespace parley::app {

namespace {

struct Arguments {
  std::vector<std::string> urls;
  std::string ca_file;
  unsigned timeout_ms = 3000;
};

// 200 from /health/live.
Result<> ask_for_life(EventLoops& loops, const std::string& url, const Arguments& arguments) {
  constexpr std::size_t kMostAnswerBytes = 64 * 1024;
  auto parsed = http::parse_url(url);
  if (!parsed) return fail(std::move(parsed.error()));
  http::HttpUpstreamOptions options{.name = url, .url = std::move(*parsed)};
  if (options.url.tls) {
    auto tls = http::make_client_tls(arguments.ca_file);
    if (!tls) return fail(std::move(tls.error()));
    options.tls = std::move(*tls);
  }
  http::HttpUpstream upstream(loops, std::move(options));
  http::Question question{.target = "/health/live", .fields = {{"User-Agent", "parley"}}};
  const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(arguments.timeout_ms);
  const auto answer = run_on_loop(loops.at(0), http::ask(upstream, std::move(question), deadline, kMostAnswerBytes));
  if (!answer) return fail(answer.error());
  if (answer->status == 200) return {};
  return unavailable("unavailable", url + " answers " + std::to_string(answer->status) + ".");
}

// Of the roles that a server with these settings plays on this host. None, after a word, when it cannot be told.
std::vector<std::string> own_urls(const Settings& settings) {
  if (!settings.http.tls_cert_file.empty()) {
    std::fputs("parley: with TLS, --url names the role as its certificate does: --url https://chat.example.com:3000\n",
               stderr);
    return {};
  }
  std::vector<std::string> urls;
  for (const Role role : settings.serve.roles) {
    urls.push_back(url_on_this_host(settings, settings.serve.port_of(role)));
  }
  return urls;
}

int run(Arguments arguments) {
  if (arguments.urls.empty()) {
    const auto settings = settings_of_folder({});
    if (!settings) return settings.error();
    arguments.urls = own_urls(*settings);
    if (arguments.urls.empty()) return 2;
  }
  EventLoops loops(1);
  loops.start();
  int exit_code = 0;
  for (const std::string& url : arguments.urls) {
    if (const auto alive = ask_for_life(loops, url, arguments); !alive) {
      std::fprintf(stderr, "parley: %s\n", alive.error().detail.c_str());
      exit_code = 1;
    }
  }
  loops.stop();
  return exit_code;
}

}  // namespace

void add_health_command(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "health", "Whether the server on this host lives, by the environment it was given; for containers");
  command->add_option("--url", arguments->urls, "Ask these instead: http://127.0.0.1:3000");
  command->add_option("--ca-file", arguments->ca_file, "PEM file of authorities for https, instead of the system's");
  command->add_option("--timeout-ms", arguments->timeout_ms, "For each role")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace parley::app
