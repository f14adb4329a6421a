#include "config/settings_table.h"

#include <gtest/gtest.h>

#include <set>

namespace parley {
namespace {

using enum SettingKind;

bool is_numeric(const Setting& setting) {
  return setting.kind == kNumber || setting.kind == kBytes || setting.kind == kPercent ||
         setting.kind == kMilliseconds || setting.kind == kSeconds || setting.kind == kPort;
}

bool has_length_bounds(const Setting& setting) {
  return setting.kind == kText || setting.kind == kSecret || setting.kind == kPath;
}

std::string name_of(const testing::TestParamInfo<const Setting*>& info) {
  return std::string(info.param->name);
}

std::vector<const Setting*> all_settings() {
  std::vector<const Setting*> all;
  for (const Setting& setting : settings_table()) all.push_back(&setting);
  return all;
}

class EachSetting : public testing::TestWithParam<const Setting*> {
 protected:
  // Loads with this one value from the environment; everything else is default, and wide where settings depend on
  // another.
  std::expected<LoadedSettings, std::vector<std::string>> load(const std::string& value) {
    Environment environment{{"UPSTREAM_CONNECT_TIMEOUT_MS", "10"},
                            {"UPSTREAM_DEADLINE_MS", "100"},
                            {"STORE_MAX_BATCH", "1"},
                            {"TLS_CERT_FILE", "c"},
                            {"TLS_KEY_FILE", "k"},
                            {"KAFKA_CERT_FILE", "c"},
                            {"KAFKA_KEY_FILE", "k"},
                            {"KAFKA_SECURITY", "ssl"}};
    const std::string name(GetParam()->name);
    if (name != "S3_CREDENTIALS_FILE") {
      environment["S3_ACCESS_KEY"] = "a";
      environment["S3_SECRET_KEY"] = "s";
    }
    if (name == "UPSTREAM_DEADLINE_MS" || name == "UPSTREAM_CONNECT_TIMEOUT_MS") {
      environment["HTTP_REQUEST_DEADLINE_MS"] = "600000";
      environment["UPSTREAM_DEADLINE_MS"] = "600000";
    }
    if (name == "STORE_MAX_BATCH") environment["STORE_WRITER_QUEUE"] = "1000000";
    environment[name] = value;
    return load_settings(environment, {});
  }

  void expect_refused(const std::string& value) {
    const auto loaded = load(value);
    ASSERT_FALSE(loaded.has_value()) << value;
    ASSERT_EQ(loaded.error().size(), 1u) << value;
    EXPECT_NE(loaded.error().front().find(std::string(GetParam()->name)), std::string::npos);
    EXPECT_NE(loaded.error().front().find("--" + GetParam()->flag_name()), std::string::npos);
    EXPECT_NE(loaded.error().front().find(GetParam()->bounds()), std::string::npos) << loaded.error().front();
  }
};

TEST_P(EachSetting, IsDescribedInFull) {
  const Setting& setting = *GetParam();
  EXPECT_FALSE(setting.meaning.empty());
  EXPECT_TRUE(setting.meaning.ends_with('.'));
  EXPECT_FALSE(setting.example.empty());
  EXPECT_FALSE(setting.bounds().empty());
  EXPECT_FALSE(setting.required.empty());
  EXPECT_EQ(setting.meaning.find('\n'), std::string_view::npos);
}

TEST_P(EachSetting, AcceptsItsOwnDefaultAndExample) {
  const Setting& setting = *GetParam();
  EXPECT_TRUE(read_setting(setting, setting.example)) << read_setting(setting, setting.example).error();
  if (!setting.fallback.empty()) {
    EXPECT_TRUE(read_setting(setting, setting.fallback));
  }
}

TEST_P(EachSetting, IsTriedBelowAtAndAboveItsBounds) {
  const Setting& setting = *GetParam();
  if (is_numeric(setting)) {
    for (const std::uint64_t inside : {setting.min, setting.max}) {
      const auto loaded = load(std::to_string(inside));
      ASSERT_TRUE(loaded.has_value()) << inside << ": " << loaded.error().front();
      EXPECT_EQ(loaded->shown.find(setting.name)->second.value, std::to_string(inside));
      EXPECT_EQ(loaded->shown.find(setting.name)->second.source, SettingSource::kEnvironment);
    }
    if (setting.min > 0) expect_refused(std::to_string(setting.min - 1));
    expect_refused(std::to_string(setting.max + 1));
    for (const char* bad : {"-1", "+1", "1.5", " 1", "1 ", "1e3", "0x10", "many", "18446744073709551616", "10ms"}) {
      expect_refused(bad);
    }
  } else if (has_length_bounds(setting)) {
    EXPECT_TRUE(load(std::string(setting.min, 'a')).has_value());
    EXPECT_TRUE(load(std::string(setting.max, 'a')).has_value());
    if (setting.min > 1) expect_refused(std::string(setting.min - 1, 'a'));
    expect_refused(std::string(setting.max + 1, 'a'));
  }
}

INSTANTIATE_TEST_SUITE_P(Table, EachSetting, testing::ValuesIn(all_settings()), name_of);

TEST(SettingsTable, HasEachNameAndFlagOnce) {
  std::set<std::string> names, flags;
  for (const Setting& setting : settings_table()) {
    EXPECT_TRUE(names.insert(std::string(setting.name)).second) << setting.name;
    EXPECT_TRUE(flags.insert(setting.flag_name()).second) << setting.flag_name();
    if (setting.may_be_file) {
      EXPECT_TRUE(names.insert(std::string(setting.name) + "_FILE").second);
      EXPECT_TRUE(flags.insert(setting.flag_name() + "-file").second);
    }
  }
}

TEST(SettingsTable, KeepsTheNamesThatOtherProgramsRelyOn) {
  for (const char* name :
       {"PORT", "BIND_ADDRESS", "GATEWAY_PORT", "MESSAGING_PORT", "MEDIA_PORT", "SEARCH_PORT", "MESSAGING_SERVICE_URL",
        "MEDIA_SERVICE_URL", "SEARCH_SERVICE_URL", "JWT_PUBLIC_KEY", "RATE_LIMIT_MESSAGES_PER_MINUTE", "LOG_LEVEL",
        "METRICS_TOKEN", "TLS_CERT_FILE", "TLS_KEY_FILE"}) {
    EXPECT_EQ(setting_named(name).name, name);
  }
  EXPECT_EQ(setting_named("DATA_DIR").flag_name(), "data");
  EXPECT_EQ(setting_named("ROLES").flag_name(), "role");
  EXPECT_EQ(setting_named("RATE_LIMIT_MESSAGES_PER_MINUTE").fallback, "60");
  EXPECT_EQ(setting_named("HTTP_MAX_HEADER_BYTES").flag_name(), "http-max-header-bytes");
}

void expect_each(const char* name, std::initializer_list<const char*> good, std::initializer_list<const char*> bad) {
  for (const char* text : good) {
    const auto value = read_setting(setting_named(name), text);
    EXPECT_TRUE(value.has_value()) << name << " " << text << ": " << value.error();
  }
  for (const char* text : bad) EXPECT_FALSE(read_setting(setting_named(name), text).has_value()) << name << " " << text;
}

TEST(ReadSetting, TakesIpAddressesAndNothingElse) {
  expect_each("BIND_ADDRESS", {"127.0.0.1", "0.0.0.0", "::1", "::", "192.168.1.10"},
              {"localhost", "127.0.0", "127.0.0.1:80", "[::1]", "1.2.3.4 ", "::g", "256.0.0.1"});
}

TEST(ReadSetting, TakesTheKnownChoicesWhole) {
  expect_each("LOG_LEVEL", {"trace", "debug", "info", "warn", "error", "off"},
              {"INFO", "information", "inf", "info,", "debug, info", ", "});
  expect_each("LOG_FORMAT", {"auto", "json", "pretty"}, {"text", "JSON"});
}

TEST(ReadSetting, TakesServiceUrlsWithoutPathUserOrTls) {
  expect_each("MESSAGING_SERVICE_URL",
              {"http://a", "http://a:1", "http://10.0.0.1:3004/", "HTTP://Host", "http://[::1]:80"},
              {"a:3004", "https://a", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:65536", "http://a:x",
               "http://a/b", "http://a?b", "http://u@a", "http://u:p@a", "http://a b", "http://a#f", "http://[::1",
               "http://[g]", "http://a,", "http://a,http://A/", "http://a http://b"});
  EXPECT_EQ(read_setting(setting_named("MESSAGING_SERVICE_URL"), "HTTP://Host:3004/, http://b")->list,
            (std::vector<std::string>{"http://host:3004", "http://b"}));
}

TEST(ReadSetting, TakesKeySetUrlsWithPathAndQuery) {
  expect_each("JWKS_URL", {"https://id.example.com/.well-known/jwks.json", "http://127.0.0.1:9/k?x=1", "https://a"},
              {"file:///etc/passwd", "https://", "https://user@a/", "https://a/#f", "https://a/b c", "jwks.json"});
}

TEST(ReadSetting, TakesOriginsAndNotTheStarBesideOthers) {
  expect_each("CORS_ALLOWED_ORIGINS", {"*", "https://a.example", "https://a.example, http://b:8080"},
              {"", ",", "a.example", "https://a/", "https://a/x", "*,https://a", "null", "https://a,,https://b"});
  EXPECT_EQ(read_setting(setting_named("CORS_ALLOWED_ORIGINS"), " HTTPS://A.example ,http://b:1 ")->list,
            (std::vector<std::string>{"https://a.example", "http://b:1"}));
  std::string many = "https://a";
  for (int i = 1; i < 64; ++i) many += ",https://a";
  EXPECT_TRUE(read_setting(setting_named("CORS_ALLOWED_ORIGINS"), many));
  EXPECT_FALSE(read_setting(setting_named("CORS_ALLOWED_ORIGINS"), many + ",https://a"));
}

TEST(ReadSetting, TakesAddressesAndNetworks) {
  expect_each("TRUSTED_PROXIES", {"127.0.0.1", "10.0.0.0/8, ::1", "fd00::/8"},
              {"", ",", "localhost", "10.0.0.0/33", "10.0.0.1,", "*", "10.0.0.1;10.0.0.2"});
  const auto loaded = load_settings({{"TRUSTED_PROXIES", "10.0.0.0/8,127.0.0.1"}}, {});
  EXPECT_TRUE(loaded->settings.http.trusted_networks().contains("10.1.2.3"));
  EXPECT_TRUE(load_settings({}, {})->settings.http.trusted_networks().empty());
}

TEST(ReadSetting, TakesTheFourRoles) {
  expect_each("ROLES", {"gateway", "gateway,search", "gateway, gateway"},
              {"", "Gateway", "gateway,", "all", "gateway media"});
}

TEST(ReadSetting, TakesPublicPemWithRealOrWrittenLineBreaks) {
  const Setting& setting = setting_named("JWT_PUBLIC_KEY");
  const auto value = read_setting(setting, "-----BEGIN PUBLIC KEY-----\\nAA\\n-----END PUBLIC KEY-----\\n");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->text, "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n");
  expect_each("JWT_PUBLIC_KEY", {"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"},
              {"AAAA", "-----BEGIN PUBLIC KEY-----", "-----END X----- -----BEGIN X-----",
               "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----"});
  EXPECT_FALSE(read_setting(setting, "-----BEGIN X-----\n-----END X-----" + std::string(65536, 'A')));
}

TEST(ReadSetting, TakesTextWithoutControlCharacters) {
  expect_each("JWT_ISSUER", {"parley", "https://id.example.com/", "müller"}, {"", "a\nb", "\xff", "a\x7f"});
  expect_each("METRICS_TOKEN", {"0123456789abcdef"}, {"0123456789abcde ", "0123456789abcdé", "0123456789\nabcdef"});
  EXPECT_FALSE(read_setting(setting_named("DATA_DIR"), std::string_view("a\0b", 3)));
}

TEST(ReadSetting, TakesNamedSecretsAndTellsNothingOfABadOne) {
  const std::string secret(16, 's');
  expect_each("SIGNING_KEYS",
              {("a:" + secret).c_str(), ("b:" + secret + ",a:" + secret).c_str(), ("A.b_c-1:x:y" + secret).c_str(),
               (std::string(32, 'n') + ":" + secret).c_str()},
              {secret.c_str(), (":" + secret).c_str(), "a:", "a:short", "", ",", ("a:" + secret + ",").c_str(),
               ("a:" + secret + ",a:other" + secret).c_str(), ("a b:" + secret).c_str(), ("a:" + secret + " ").c_str(),
               ("a:" + secret + "\n").c_str(), ("é:" + secret).c_str(), ("a:é" + secret).c_str(),
               ("a: " + secret).c_str(), ("a:" + secret + ", b:" + secret).c_str(),
               (std::string(33, 'n') + ":" + secret).c_str(), ("a:" + std::string(4096, 's')).c_str()});
  std::string many = "k0:" + secret;
  for (int i = 1; i < 16; ++i) many += ",k" + std::to_string(i) + ":" + secret;
  EXPECT_TRUE(read_setting(setting_named("SIGNING_KEYS"), many));
  EXPECT_FALSE(read_setting(setting_named("SIGNING_KEYS"), many + ",more:" + secret));

  const auto refused = load_settings({{"SIGNING_KEYS", "a:hush-hush-hush-hush,b:hush"}}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().front().find("hush"), std::string::npos) << refused.error().front();
  const auto loaded = load_settings({{"SIGNING_KEYS", "a:hush-hush-hush-hush"}}, {});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->shown.find("SIGNING_KEYS")->second.value, "(hidden)");
}

TEST(ReadSetting, QuotesABadValueCutShortAndWithoutControlCharacters) {
  const auto value = read_setting(setting_named("BIND_ADDRESS"), "\x1b[31m" + std::string(1000, 'x'));
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().find('\x1b'), std::string::npos);
  EXPECT_LT(value.error().size(), 200u);
}

}  // namespace
}  // namespace parley
