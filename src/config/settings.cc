#include "config/settings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <thread>

#include "base/check.h"
#include "base/text.h"
#include "config/settings_table.h"

extern char** environ;

namespace parley {
namespace {

using Faults = std::vector<std::string>;

// What was given for one setting by one source: the value, or the file that holds it.
struct Given {
  std::optional<std::string> value;
  std::optional<std::string> file;
};
using GivenByName = std::map<std::string_view, Given>;

// --- flags ----------------------------------------------------------------------------------------------------------

struct FlagTarget {
  const Setting* setting;
  bool is_file;
};

std::map<std::string, FlagTarget, std::less<>> known_flags() {
  std::map<std::string, FlagTarget, std::less<>> flags;
  for (const Setting& setting : settings_table()) {
    flags.emplace(setting.flag_name(), FlagTarget{&setting, false});
    if (setting.may_be_file) flags.emplace(setting.flag_name() + "-file", FlagTarget{&setting, true});
  }
  return flags;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string unknown_flag(std::string_view name, const std::map<std::string, FlagTarget, std::less<>>& known) {
  std::string_view nearest;
  std::size_t least = 4;  // further away is no misspelling
  for (const auto& [flag, target] : known) {
    const std::size_t distance = edit_distance(name.substr(0, 64), flag);
    if (distance < least) {
      least = distance;
      nearest = flag;
    }
  }
  std::string fault = "--" + std::string(name.substr(0, 64)) + " is no known flag";
  if (!nearest.empty()) fault += "; did you mean --" + std::string(nearest) + "?";
  return fault;
}

// Whether an argument is a flag; a PEM block also begins with dashes.
bool looks_like_flag(std::string_view argument) {
  return argument.starts_with("--") && !argument.starts_with("-----");
}

GivenByName read_flags(std::span<const std::string> flags, Faults& faults) {
  const auto known = known_flags();
  GivenByName given;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const std::string_view argument = flags[i];
    if (!looks_like_flag(argument)) {
      faults.push_back("\"" + std::string(argument.substr(0, 64)) +
                       "\" is no flag: settings are given as --name VALUE");
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(2, equals == std::string_view::npos ? equals : equals - 2);
    const auto target = known.find(name);
    if (target == known.end()) {
      faults.push_back(unknown_flag(name, known));
      // Its value is no fault of its own.
      if (equals == std::string_view::npos && i + 1 < flags.size() && !looks_like_flag(flags[i + 1])) ++i;
      continue;
    }
    std::string value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < flags.size() && !looks_like_flag(flags[i + 1])) {
      value = flags[++i];
    } else {
      faults.push_back("--" + std::string(name) + " needs a value; allowed: " + target->second.setting->bounds());
      continue;
    }
    const Setting& setting = *target->second.setting;
    Given& entry = given[setting.name];
    std::optional<std::string>& slot = target->second.is_file ? entry.file : entry.value;
    if (!slot) {
      slot = std::move(value);
    } else if (setting.kind == SettingKind::kRoles) {
      *slot += "," + value;
    } else {
      faults.push_back("--" + std::string(name) + " is given twice");
    }
  }
  return given;
}

// --- environment ----------------------------------------------------------------------------------------------------

GivenByName read_environment(const Environment& environment) {
  const auto find = [&](const std::string& name) -> std::optional<std::string> {
    const auto entry = environment.find(name);
    if (entry == environment.end() || entry->second.empty()) return std::nullopt;
    return entry->second;
  };
  GivenByName given;
  for (const Setting& setting : settings_table()) {
    Given entry{find(std::string(setting.name)), std::nullopt};
    if (setting.may_be_file) entry.file = find(std::string(setting.name) + "_FILE");
    if (entry.value || entry.file) given.emplace(setting.name, std::move(entry));
  }
  return given;
}

// --- one setting ----------------------------------------------------------------------------------------------------

std::string named(const Setting& setting) {
  return std::string(setting.name) + " (--" + setting.flag_name() + ")";
}

std::expected<std::string, std::string> read_whole_file(const std::string& path, std::size_t limit) {
  std::error_code error;
  std::ifstream file(path, std::ios::binary);
  if (std::filesystem::is_directory(path, error) || !file) return std::unexpected("cannot read " + path);
  std::string text(limit + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return std::unexpected("cannot read " + path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > limit) return std::unexpected(path + " is longer than " + std::to_string(limit) + " bytes");
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::string shown_value(const Setting& setting, std::string_view text) {
  if (setting.kind == SettingKind::kSecret || setting.kind == SettingKind::kNamedSecrets) return "(hidden)";
  if (setting.kind == SettingKind::kPem) return "(PEM, " + std::to_string(text.size()) + " bytes)";
  return std::string(text);
}

void load_one(const Setting& setting, const Given* given, SettingSource source, LoadedSettings& loaded,
              Faults& faults) {
  std::string text(setting.fallback);
  bool from_file = false;
  if (given != nullptr) {
    if (given->value && given->file) {
      faults.push_back(named(setting) + ": give the value or the file that holds it, not both");
      return;
    }
    if (given->file) {
      auto content = read_whole_file(*given->file, setting.max + 2);
      if (!content) {
        faults.push_back(std::string(setting.name) + "_FILE (--" + setting.flag_name() + "-file): " + content.error());
        return;
      }
      text = std::move(*content);
      from_file = true;
    } else {
      text = *given->value;
    }
  } else if (text.empty()) {
    loaded.shown.emplace(setting.name, LoadedSettings::Shown{});
    return;
  }
  const auto value = read_setting(setting, text);
  if (!value) {
    faults.push_back(named(setting) + ": " + value.error());
    return;
  }
  setting.assign(loaded.settings, *value);
  loaded.shown.emplace(setting.name, LoadedSettings::Shown{shown_value(setting, text), source, from_file});
}

// --- settings that depend on each other -----------------------------------------------------------------------------

std::string_view port_variable(Role role) {
  switch (role) {
    case Role::kGateway:
      return "GATEWAY_PORT";
    case Role::kMessaging:
      return "MESSAGING_PORT";
    case Role::kMedia:
      return "MEDIA_PORT";
    case Role::kSearch:
      return "SEARCH_PORT";
  }
  return {};
}

// The port of a role alone: its flag, then PORT, then its *_PORT, then the default.
void settle_ports(LoadedSettings& loaded, Faults& faults) {
  ServeSettings& serve = loaded.settings.serve;
  const LoadedSettings::Shown& port = loaded.shown.at("PORT");
  if (serve.roles.size() == 1) {
    const Role role = serve.roles.front();
    if (!port.value.empty() && loaded.shown.at(std::string(port_variable(role))).source != SettingSource::kFlag) {
      serve.ports[static_cast<std::size_t>(role)] = static_cast<std::uint16_t>(*parse_u64(port.value));
    }
  } else if (port.source == SettingSource::kFlag) {
    faults.push_back("PORT (--port): it is for one role alone; with several, give each its own, as --gateway-port");
  }
  for (std::size_t i = 0; i < serve.roles.size(); ++i) {
    for (std::size_t j = i + 1; j < serve.roles.size(); ++j) {
      const Role a = serve.roles[i], b = serve.roles[j];
      if (serve.port_of(a) != 0 && serve.port_of(a) == serve.port_of(b)) {
        faults.push_back(std::string(port_variable(a)) + " and " + std::string(port_variable(b)) + " are both " +
                         std::to_string(serve.port_of(a)) + "; two roles cannot share a port");
      }
    }
  }
}

void settle_s3(const S3Settings& s3, Faults& faults) {
  if (s3.endpoint.empty()) return;  // then its keys, which roles on one host may share a file of, mean nothing
  if (s3.access_key.empty() != s3.secret_key.empty()) {
    faults.push_back("S3_ACCESS_KEY and S3_SECRET_KEY go together: give both or neither");
  }
  const int sources = int(!s3.secret_key.empty()) + int(!s3.credentials_file.empty()) + int(!s3.role_endpoint.empty());
  if (sources > 1) {
    faults.push_back("S3_ACCESS_KEY, S3_CREDENTIALS_FILE and S3_ROLE_ENDPOINT exclude each other: give one");
  }
  if (sources == 0) {
    faults.push_back(
        "S3_ENDPOINT needs keys: S3_ACCESS_KEY and S3_SECRET_KEY, S3_CREDENTIALS_FILE or S3_ROLE_ENDPOINT");
  }
}

bool is_topic_name(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '-';
  });
}

void settle(LoadedSettings& loaded, Faults& faults) {
  Settings& settings = loaded.settings;
  settle_ports(loaded, faults);
  if (settings.serve.threads == 0) settings.serve.threads = std::max(1u, std::thread::hardware_concurrency());
  if (settings.http.tls_cert_file.empty() != settings.http.tls_key_file.empty()) {
    faults.push_back("TLS_CERT_FILE and TLS_KEY_FILE go together: give both or neither");
  }
  if (!settings.auth.jwks_file.empty() && !settings.auth.jwks_url.empty()) {
    faults.push_back("JWKS_FILE and JWKS_URL exclude each other: give one");
  }
  const auto at_most = [&](std::string_view lesser, auto a, std::string_view greater, auto b) {
    if (a > b) {
      faults.push_back(std::string(lesser) + " (" + loaded.shown.find(lesser)->second.value + ") must be at most " +
                       std::string(greater) + " (" + loaded.shown.find(greater)->second.value + ")");
    }
  };
  at_most("UPSTREAM_CONNECT_TIMEOUT_MS", settings.upstream.connect_timeout, "UPSTREAM_DEADLINE_MS",
          settings.upstream.deadline);
  at_most("UPSTREAM_DEADLINE_MS", settings.upstream.deadline, "HTTP_REQUEST_DEADLINE_MS",
          settings.http.request_deadline);
  settle_s3(settings.s3, faults);
  const KafkaSettings& kafka = settings.kafka;
  if (!kafka.brokers.empty() && kafka.security.starts_with("sasl_") &&
      (kafka.username.empty() || kafka.password.empty())) {
    faults.push_back("KAFKA_SECURITY=" + kafka.security + " needs KAFKA_USERNAME and KAFKA_PASSWORD");
  }
  if (!kafka.security.ends_with("ssl") && !(kafka.ca_file + kafka.cert_file).empty() && !kafka.brokers.empty()) {
    faults.push_back(
        "KAFKA_CA_FILE and KAFKA_CERT_FILE need KAFKA_SECURITY ssl or sasl_ssl; without it nothing is encrypted");
  }
  if (kafka.cert_file.empty() != kafka.key_file.empty()) {
    faults.push_back("KAFKA_CERT_FILE and KAFKA_KEY_FILE go together: give both or neither");
  }
  if (!kafka.topic_prefix.empty() && !is_topic_name(kafka.topic_prefix)) {
    faults.push_back("KAFKA_TOPIC_PREFIX: letters, digits, dots, underscores and dashes only");
  }
  at_most("STORE_MAX_BATCH", settings.store.max_batch, "STORE_WRITER_QUEUE", settings.store.writer_queue);
}

}  // namespace

bool ServeSettings::has(Role role) const {
  return std::ranges::find(roles, role) != roles.end();
}

IpNetworks HttpSettings::trusted_networks() const {
  auto networks = IpNetworks::parse(trusted_proxies);
  CHECK(networks.has_value());  // read_setting() took it
  return *networks;
}

const std::vector<std::string>& UpstreamSettings::urls_of(Role role) const {
  CHECK(role != Role::kGateway);
  return role == Role::kMessaging ? messaging_urls : role == Role::kMedia ? media_urls : search_urls;
}

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::expected<LoadedSettings, std::vector<std::string>> load_settings(const Environment& environment,
                                                                      std::span<const std::string> flags) {
  Faults faults;
  LoadedSettings loaded;
  const GivenByName by_flag = read_flags(flags, faults);
  const GivenByName by_environment = read_environment(environment);
  for (const Setting& setting : settings_table()) {
    if (const auto given = by_flag.find(setting.name); given != by_flag.end()) {
      load_one(setting, &given->second, SettingSource::kFlag, loaded, faults);
    } else if (const auto variable = by_environment.find(setting.name); variable != by_environment.end()) {
      load_one(setting, &variable->second, SettingSource::kEnvironment, loaded, faults);
    } else {
      load_one(setting, nullptr, SettingSource::kDefault, loaded, faults);
    }
  }
  if (faults.empty()) settle(loaded, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return loaded;
}

std::vector<std::string> faults_of_serving(const Settings& settings) {
  Faults faults;
  const ServeSettings& serve = settings.serve;
  if (serve.has(Role::kGateway) && !serve.has(Role::kMessaging) && settings.upstream.messaging_urls.empty()) {
    faults.push_back("the gateway without messaging in the same process needs MESSAGING_SERVICE_URL");
  }
  if (serve.has(Role::kSearch) && !serve.has(Role::kMessaging)) {
    if (settings.kafka.brokers.empty()) {
      faults.push_back(
          "search without messaging in the same process needs KAFKA_BROKERS: the embedded event log is read in process "
          "only");
    }
    if (settings.upstream.messaging_urls.empty()) {
      faults.push_back("search without messaging in the same process needs MESSAGING_SERVICE_URL");
    }
  }
  if (!is_loopback_address(serve.bind_address) && !settings.auth.has_real_key()) {
    faults.push_back("BIND_ADDRESS (--bind-address): " + serve.bind_address +
                     " can be reached from other hosts, and that needs a real key: set JWT_PUBLIC_KEY, JWKS_FILE or "
                     "JWKS_URL, or stay on 127.0.0.1");
  }
  return faults;
}

bool is_loopback_address(std::string_view address) {
  const std::string text(address);
  in_addr v4;
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace parley
