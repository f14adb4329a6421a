#include "telemetry/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace parley {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void add(std::vector<MetricFamily>& families, const char* name, const char* help, MetricType type, double value) {
  prometheus::ClientMetric metric;
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  families.push_back({name, help, type, {std::move(metric)}});
}

struct Stat {
  double cpu_seconds;
  double threads;
  double start_ticks;  // after boot
  double virtual_bytes;
  double resident_bytes;
};

// Fields of /proc/self/stat, numbered as in proc(5); the second may hold blanks, so count after its closing bracket.
std::optional<Stat> read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line) || line.rfind(')') == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string state;
  fields >> state;
  double value[25] = {};
  for (int i = 4; i <= 24; ++i) {
    if (!(fields >> value[i])) return std::nullopt;
  }
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return Stat{(value[14] + value[15]) / ticks, value[20], value[22] / ticks, value[23],
              value[24] * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string key; file >> key;) {
    double seconds = 0;
    if (key == "btime" && file >> seconds) return seconds;
    std::string rest;
    std::getline(file, rest);
  }
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return std::nullopt;
  double count = -1;  // not the one that reads the folder
  while (const dirent* entry = readdir(folder)) count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

}  // namespace

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  std::vector<MetricFamily> families;
  if (const auto stat = read_stat()) {
    add(families, "process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter, stat->cpu_seconds);
    add(families, "process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, stat->resident_bytes);
    add(families, "process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, stat->virtual_bytes);
    add(families, "process_threads", "Threads.", MetricType::Gauge, stat->threads);
    if (const auto boot = boot_time()) {
      add(families, "process_start_time_seconds", "Start time since the Unix epoch.", MetricType::Gauge,
          *boot + stat->start_ticks);
    }
  }
  if (const auto open = open_descriptors()) {
    add(families, "process_open_fds", "Open file descriptors.", MetricType::Gauge, *open);
  }
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    add(families, "process_max_fds", "Most file descriptors allowed.", MetricType::Gauge,
        static_cast<double>(limit.rlim_cur));
  }
  return families;
}

}  // namespace parley
