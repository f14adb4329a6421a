#include <pthread.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "app/commands.h"
#include "app/deployment.h"
#include "app/engine_wait.h"
#include "app/settings_arguments.h"
#include "telemetry/log.h"

namespace parley::app {

namespace {

// SIGTERM and SIGINT are taken by sigwait on the main thread: blocked before any other thread begins.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Each connection is a file descriptor, and the usual soft limit is 1024: as many as the host allows, then. (It is soft
// for the sake of programs that use select(), which this one does not.)
void allow_many_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const LoadedSettings& loaded) {
  const Settings& settings = loaded.settings;
  const std::vector<std::string> faults = faults_of_serving(settings);
  for (const std::string& fault : faults) std::fprintf(stderr, "parley: %s\n", fault.c_str());
  if (!faults.empty()) return 2;

  const sigset_t signals = block_stop_signals();
  Log log({.level = parse_log_level(settings.telemetry.log_level).value_or(LogLevel::kInfo),
           .pretty = wants_pretty_log(settings.telemetry.log_format)});
  flush_log_on_crash();
  allow_many_descriptors();
  log_info("starting", {{"version", kVersion}, {"data", settings.serve.data_dir.string()}});

  Deployment deployment(settings);
  if (const Result<> started = deployment.start(); !started) {
    if (started.error().code == kStopped) {
      log_info("stopped", {{"reason", started.error().detail}});
      return 0;
    }
    log_error("cannot start", {{"code", started.error().code}, {"reason", started.error().detail}});
    std::fprintf(stderr, "parley: %s\n", started.error().detail.c_str());
    return 1;
  }
  for (const Deployment::Listening& one : deployment.listening()) {
    log_info("listening",
             {{"role", to_string(one.role)}, {"address", settings.serve.bind_address}, {"port", one.port}});
  }

  int signal = 0;
  sigwait(&signals, &signal);
  log_info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  // A second signal takes its usual course: at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  deployment.stop();
  log_info("stopped");
  return 0;
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("serve", "Run roles: gateway, messaging, media, search; all four unless --role says");
  command->allow_extras();
  command->footer(
      "Every setting is a flag too: --data DIR, --role ROLE, --gateway-port PORT, ... `parley config --explain` lists "
      "them.\n"
      "Ends on SIGTERM or SIGINT, answering what is in flight first.");
  command->callback([command, &exit_code] {
    const auto loaded = load_settings_of(*command);
    exit_code = loaded ? serve(*loaded) : 2;
  });
}

}  // namespace parley::app
