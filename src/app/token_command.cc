#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <map>

#include "app/commands.h"
#include "auth/dev_key.h"
#include "auth/token.h"
#include "base/text.h"
#include "config/settings.h"

namespace parley::app {

namespace {

struct Arguments {
  std::string data_dir;
  std::string tenant, user, name;
  std::vector<std::string> roles;
  std::string ttl = "1h";
};

// "90", "90s", "15m", "1h", "30d".
std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  static const std::map<char, std::int64_t> kUnits = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  std::int64_t unit = 1;
  if (const auto found = text.empty() ? kUnits.end() : kUnits.find(text.back()); found != kUnits.end()) {
    unit = found->second;
    text.remove_suffix(1);
  }
  const std::optional<std::uint64_t> count = parse_u64(text);
  if (!count || *count > 1'000'000'000) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(*count) * unit);
}

int print_token(const Arguments& arguments) {
  std::vector<std::string> flags;
  if (!arguments.data_dir.empty()) flags = {"--data", arguments.data_dir};
  const auto loaded = load_settings(process_environment(), flags);
  if (!loaded) {
    for (const std::string& fault : loaded.error()) std::fprintf(stderr, "parley: %s\n", fault.c_str());
    return 2;
  }
  const Settings& settings = loaded->settings;
  if (settings.auth.has_real_key()) {
    std::fputs(
        "parley: tokens are verified with the keys that JWT_PUBLIC_KEY, JWKS_FILE or JWKS_URL name; whoever holds "
        "their private half makes them. `parley token` signs with a data folder's development key only.\n",
        stderr);
    return 1;
  }
  auth::TokenRequest request;
  request.tenant = TenantId(arguments.tenant);
  request.user = UserId(arguments.user);
  request.name = arguments.name;
  request.issuer = settings.auth.issuer;
  request.audience = settings.auth.audience;
  for (const std::string& role : arguments.roles) {
    if (role == "admin") request.roles.admin = true;
    if (role == "service") request.roles.service = true;
  }
  const auto ttl = parse_duration(arguments.ttl);
  if (!ttl) {
    std::fputs("parley: --ttl takes a number with s, m, h or d, as in 1h.\n", stderr);
    return 2;
  }
  request.ttl = *ttl;

  const bool key_is_new = !std::filesystem::exists(settings.serve.data_dir / auth::kDevKeyFile);
  const auto key = auth::load_or_create_dev_key(settings.serve.data_dir);
  if (!key) {
    std::fprintf(stderr, "parley: %s\n", key.error().detail.c_str());
    return 1;
  }
  if (key_is_new) {
    std::fprintf(stderr, "parley: made a new development key in %s; only a server on this folder takes the token\n",
                 settings.serve.data_dir.c_str());
  }
  const auto token = auth::sign_token(*key, request, SystemClock().wall_now());
  if (!token) {
    std::fprintf(stderr, "parley: %s\n", token.error().detail.c_str());
    return 2;
  }
  std::printf("%s\n", token->c_str());
  return 0;
}

}  // namespace

void add_token_command(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("token", "Print a token signed with a data folder's development key");
  command->add_option("--data", arguments->data_dir, "Data folder; DATA_DIR, else ./data");
  command->add_option("--tenant", arguments->tenant, "Tenant id")->required();
  command->add_option("--user", arguments->user, "User id")->required();
  command->add_option("--name", arguments->name, "Display name");
  command->add_option("--role", arguments->roles, "Role in the tenant, repeated for several: admin, user or service")
      ->check(CLI::IsMember({"admin", "user", "service"}));
  command->add_option("--ttl", arguments->ttl, "How long it is good for: 90s, 15m, 1h, 30d")->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = print_token(*arguments); });
}

}  // namespace parley::app
