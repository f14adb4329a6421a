#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace parley {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Loaded = std::expected<LoadedSettings, std::vector<std::string>>;

Loaded load(const Environment& environment, std::vector<std::string> flags = {}) {
  return load_settings(environment, flags);
}

std::vector<std::string> faults(const Environment& environment, std::vector<std::string> flags = {}) {
  const Loaded loaded = load(environment, std::move(flags));
  return loaded ? std::vector<std::string>() : loaded.error();
}

// A file that is gone when the test ends.
class TempFile {
 public:
  explicit TempFile(std::string_view content) {
    std::string name = (std::filesystem::temp_directory_path() / "parley-config-XXXXXX").string();
    const int fd = mkstemp(name.data());
    EXPECT_GE(fd, 0);
    close(fd);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TempFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

constexpr std::string_view kPem = "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----";

TEST(Settings, HaveSafeDefaults) {
  const Settings settings = load({})->settings;
  EXPECT_EQ(settings.serve.bind_address, "127.0.0.1");
  EXPECT_EQ(settings.serve.roles.size(), 4u);
  EXPECT_EQ(settings.serve.port_of(Role::kGateway), 3000);
  EXPECT_EQ(settings.serve.port_of(Role::kMessaging), 3004);
  EXPECT_EQ(settings.serve.port_of(Role::kMedia), 3005);
  EXPECT_EQ(settings.serve.port_of(Role::kSearch), 3006);
  EXPECT_GE(settings.serve.threads, 1u);
  EXPECT_EQ(settings.http.max_header_bytes, 16384u);
  EXPECT_EQ(settings.http.header_timeout, milliseconds(10000));
  EXPECT_THAT(settings.http.cors_allowed_origins, IsEmpty());
  EXPECT_EQ(settings.auth.leeway, seconds(30));
  EXPECT_FALSE(settings.auth.has_real_key());
  EXPECT_EQ(settings.rate_limit.messages_per_minute, 60u);
  EXPECT_EQ(settings.rate_limit.service_messages_per_minute, 0u);
  EXPECT_EQ(settings.rate_limit.searches_per_minute, 60u);
  EXPECT_EQ(settings.rate_limit.service_searches_per_minute, 0u);
  EXPECT_EQ(settings.telemetry.log_level, "info");
  EXPECT_TRUE(settings.telemetry.metrics_token.empty());
  EXPECT_THAT(settings.upstream.urls_of(Role::kMessaging), IsEmpty());
  EXPECT_EQ(settings.indexing.batch_size, 500u);
  EXPECT_EQ(settings.indexing.flush_interval, milliseconds(50));
}

TEST(Settings, FlagGoesBeforeEnvironmentBeforeDefault) {
  EXPECT_EQ(load({{"THREADS", "3"}})->settings.serve.threads, 3u);
  EXPECT_EQ(load({{"THREADS", "3"}}, {"--threads", "5"})->settings.serve.threads, 5u);
  EXPECT_EQ(load({{"THREADS", "3"}}, {"--threads=6"})->settings.serve.threads, 6u);
  EXPECT_EQ(load({{"THREADS", "3"}}, {"--threads=6"})->shown.at("THREADS").source, SettingSource::kFlag);
  EXPECT_EQ(load({{"THREADS", "3"}})->shown.at("THREADS").source, SettingSource::kEnvironment);
  EXPECT_EQ(load({})->shown.at("THREADS").source, SettingSource::kDefault);
}

TEST(Settings, AnEmptyVariableCountsAsNotSet) {
  EXPECT_EQ(load({{"RATE_LIMIT_MESSAGES_PER_MINUTE", ""}})->settings.rate_limit.messages_per_minute, 60u);
  EXPECT_EQ(load({{"METRICS_TOKEN", ""}, {"METRICS_TOKEN_FILE", ""}})->settings.telemetry.metrics_token.empty(), true);
}

TEST(Settings, DataAndRoleAreFlagsByTheirShortNames) {
  const Settings settings = load({}, {"--role", "search", "--data", "/srv/x", "--role=messaging"})->settings;
  EXPECT_THAT(settings.serve.roles, ElementsAre(Role::kMessaging, Role::kSearch));
  EXPECT_EQ(settings.serve.data_dir, "/srv/x");
  EXPECT_TRUE(settings.serve.has(Role::kSearch));
  EXPECT_FALSE(settings.serve.has(Role::kGateway));
}

TEST(Settings, ReportEveryFaultAtOnceWithNameAndRange) {
  const auto all =
      faults({{"THREADS", "257"}, {"LOG_LEVEL", "loud"}, {"HTTP_MAX_HEADER_BYTES", "12"}}, {"--port", "http"});
  ASSERT_EQ(all.size(), 4u);
  EXPECT_THAT(all, Contains("THREADS (--threads): 257 is too large; allowed: 0 to 256"));
  EXPECT_THAT(all, Contains("HTTP_MAX_HEADER_BYTES (--http-max-header-bytes): 12 is too small; "
                            "allowed: 1024 to 1048576 bytes"));
  EXPECT_THAT(all, Contains("PORT (--port): \"http\" is not a whole number; allowed: 0 to 65535"));
  EXPECT_THAT(all, Contains("LOG_LEVEL (--log-level): \"loud\" is not known; "
                            "allowed: one of trace, debug, info, warn, error, off"));
}

TEST(Flags, UnknownOnesFailWithTheNearestName) {
  EXPECT_THAT(faults({}, {"--thread", "2"}), ElementsAre("--thread is no known flag; did you mean --threads?"));
  EXPECT_THAT(faults({}, {"--nothing-like-it=2"}), ElementsAre("--nothing-like-it is no known flag"));
  EXPECT_THAT(faults({}, {"--"}), ElementsAre(HasSubstr("is no known flag")));
  EXPECT_THAT(faults({}, {"--THREADS", "2"}), ElementsAre(HasSubstr("no known flag")));
}

TEST(Flags, NeedAValueComeOnceAndHaveNoStrangersBetween) {
  EXPECT_THAT(faults({}, {"--threads"}), ElementsAre("--threads needs a value; allowed: 0 to 256"));
  EXPECT_THAT(faults({}, {"--threads", "--log-level", "info"}), ElementsAre(HasSubstr("--threads needs a value")));
  EXPECT_THAT(faults({}, {"--threads", "2", "--threads", "3"}), ElementsAre("--threads is given twice"));
  EXPECT_THAT(faults({}, {"serve"}), ElementsAre(HasSubstr("\"serve\" is no flag")));
  EXPECT_THAT(faults({}, {"-t", "2"}), testing::SizeIs(2));
  EXPECT_THAT(faults({}, {"--data="}), ElementsAre(HasSubstr("DATA_DIR (--data)")));
}

TEST(Flags, TakeAPemThatBeginsWithDashes) {
  const Loaded loaded = load({}, {"--jwt-public-key", std::string(kPem)});
  ASSERT_TRUE(loaded) << loaded.error().front();
  EXPECT_EQ(loaded->settings.auth.jwt_public_key, kPem);
}

TEST(FileVariants, HoldTheValueWithoutItsLastLineBreak) {
  const TempFile token("0123456789abcdef-token\r\n"), pem(std::string(kPem) + "\n");
  const Loaded loaded = load({{"METRICS_TOKEN_FILE", token.path()}}, {"--jwt-public-key-file", pem.path()});
  ASSERT_TRUE(loaded) << loaded.error().front();
  EXPECT_EQ(loaded->settings.telemetry.metrics_token.reveal(), "0123456789abcdef-token");
  EXPECT_EQ(loaded->settings.auth.jwt_public_key, kPem);
  EXPECT_TRUE(loaded->shown.at("METRICS_TOKEN").from_file);
}

TEST(FileVariants, AreRefusedBesideTheValueOfTheSameSource) {
  const TempFile token("0123456789abcdef-token");
  EXPECT_THAT(faults({{"METRICS_TOKEN_FILE", token.path()}, {"METRICS_TOKEN", "0123456789abcdef"}}),
              ElementsAre(HasSubstr("not both")));
  EXPECT_TRUE(load({{"METRICS_TOKEN", "0123456789abcdef"}}, {"--metrics-token-file", token.path()}));
}

TEST(FileVariants, SayWhichFileCannotBeReadOrIsTooLong) {
  EXPECT_THAT(faults({{"METRICS_TOKEN_FILE", "/nowhere/at/all"}}),
              ElementsAre("METRICS_TOKEN_FILE (--metrics-token-file): cannot read /nowhere/at/all"));
  EXPECT_THAT(faults({{"METRICS_TOKEN_FILE", "/"}}), ElementsAre(HasSubstr("cannot read /")));
  const TempFile endless(std::string(5000, 'x')), empty("");
  EXPECT_THAT(faults({{"METRICS_TOKEN_FILE", endless.path()}}), ElementsAre(HasSubstr("is longer than")));
  EXPECT_THAT(faults({{"METRICS_TOKEN_FILE", empty.path()}}), ElementsAre(HasSubstr("0 characters")));
}

TEST(Secrets, AreNeitherInExplanationsNorInFaults) {
  const std::string secret = "hush-hush-hush-hush";
  const Loaded loaded = load({{"METRICS_TOKEN", secret}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(explain_settings(*loaded), Not(HasSubstr(secret)));
  EXPECT_THAT(explain_settings(*loaded), HasSubstr("(hidden)"));
  for (const std::string& fault : faults({{"METRICS_TOKEN", "hush hush hush hush hush"}})) {
    EXPECT_THAT(fault, Not(HasSubstr("hush")));
  }
}

TEST(Ports, OfARoleAloneComeFromItsFlagThenPortThenItsVariable) {
  const auto port = [](const Environment& environment, std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--role", "media"});
    return load(environment, flags)->settings.serve.port_of(Role::kMedia);
  };
  EXPECT_EQ(port({}, {}), 3005);
  EXPECT_EQ(port({{"MEDIA_PORT", "1"}}, {}), 1);
  EXPECT_EQ(port({{"MEDIA_PORT", "1"}, {"PORT", "2"}}, {}), 2);
  EXPECT_EQ(port({{"MEDIA_PORT", "1"}, {"PORT", "2"}}, {"--port", "3"}), 3);
  EXPECT_EQ(port({{"MEDIA_PORT", "1"}, {"PORT", "2"}}, {"--media-port", "4"}), 4);
  EXPECT_EQ(port({{"GATEWAY_PORT", "9"}, {"PORT", "0"}}, {}), 0);
}

TEST(Ports, OfSeveralRolesComeFromTheirOwnVariables) {
  const ServeSettings serve = load({{"PORT", "8080"}, {"SEARCH_PORT", "4006"}})->settings.serve;
  EXPECT_EQ(serve.port_of(Role::kGateway), 3000);
  EXPECT_EQ(serve.port_of(Role::kSearch), 4006);
  EXPECT_THAT(faults({}, {"--port", "8080"}), ElementsAre(HasSubstr("PORT (--port): it is for one role alone")));
}

TEST(Ports, CannotBeSharedByTwoRolesUnlessAnyIsFree) {
  EXPECT_THAT(faults({{"MEDIA_PORT", "3006"}}),
              ElementsAre("MEDIA_PORT and SEARCH_PORT are both 3006; two roles cannot share a port"));
  EXPECT_TRUE(load({{"MEDIA_PORT", "0"}, {"SEARCH_PORT", "0"}}));
  EXPECT_TRUE(load({{"MEDIA_PORT", "3006"}}, {"--role", "media", "--role", "gateway"}));
}

TEST(Settings, ThatDependOnEachOtherAreHeldTogether) {
  EXPECT_THAT(faults({{"TLS_CERT_FILE", "c"}}), ElementsAre(HasSubstr("TLS_CERT_FILE and TLS_KEY_FILE")));
  EXPECT_THAT(faults({{"TLS_KEY_FILE", "c"}}), ElementsAre(HasSubstr("TLS_CERT_FILE and TLS_KEY_FILE")));
  EXPECT_THAT(faults({{"JWKS_FILE", "f"}, {"JWKS_URL", "https://a/"}}), ElementsAre(HasSubstr("exclude each other")));
  EXPECT_THAT(faults({{"UPSTREAM_DEADLINE_MS", "10001"}}),
              ElementsAre("UPSTREAM_DEADLINE_MS (10001) must be at most HTTP_REQUEST_DEADLINE_MS (10000)"));
  EXPECT_THAT(faults({{"UPSTREAM_CONNECT_TIMEOUT_MS", "5001"}}),
              ElementsAre(HasSubstr("at most UPSTREAM_DEADLINE_MS")));
  EXPECT_THAT(faults({{"STORE_WRITER_QUEUE", "16"}}), ElementsAre(HasSubstr("STORE_MAX_BATCH (256) must be at most")));
}

TEST(Settings, S3NeedsKeysFromOneSource) {
  const Environment endpoint{{"S3_ENDPOINT", "https://s3.example.com"}};
  const auto with = [&endpoint](Environment more) {
    more.insert(endpoint.begin(), endpoint.end());
    return more;
  };
  EXPECT_THAT(faults(endpoint), ElementsAre(HasSubstr("S3_ENDPOINT needs keys")));
  for (const char* one : {"S3_ACCESS_KEY", "S3_SECRET_KEY"}) {
    EXPECT_TRUE(load({{one, "a"}})) << "it is for another role of the same file";
    EXPECT_THAT(faults(with({{one, "a"}, {"S3_CREDENTIALS_FILE", "f"}})),
                Contains(HasSubstr("S3_ACCESS_KEY and S3_SECRET_KEY go together")));
  }
  EXPECT_THAT(faults(with({{"S3_CREDENTIALS_FILE", "f"}, {"S3_ROLE_ENDPOINT", "http://169.254.170.2/x"}})),
              ElementsAre(HasSubstr("exclude each other")));
  EXPECT_TRUE(load(with({{"S3_ACCESS_KEY", "a"}, {"S3_SECRET_KEY", "s"}})));
  EXPECT_TRUE(load(with({{"S3_CREDENTIALS_FILE", "f"}})));
  EXPECT_TRUE(load(with({{"S3_ROLE_ENDPOINT", "http://169.254.169.254/latest/meta-data/iam/security-credentials/"}})));
}

std::vector<std::string> serving_faults(const Environment& environment, std::vector<std::string> flags = {}) {
  const Loaded loaded = load(environment, std::move(flags));
  EXPECT_TRUE(loaded);
  return faults_of_serving(loaded->settings);
}

TEST(Serving, AllowsWhatTheEmbeddedLogAllows) {
  EXPECT_THAT(serving_faults({}), IsEmpty());
  for (const char* role : {"messaging", "media"}) EXPECT_THAT(serving_faults({}, {"--role", role}), IsEmpty());
  EXPECT_THAT(serving_faults({}, {"--role", "search", "--role", "media", "--role", "messaging"}), IsEmpty());
  EXPECT_THAT(serving_faults({}, {"--role", "search", "--role", "messaging"}), IsEmpty());
  EXPECT_THAT(serving_faults({{"MESSAGING_SERVICE_URL", "http://m"}}, {"--role", "gateway"}), IsEmpty());
}

TEST(Serving, RefusesMixesByName) {
  EXPECT_THAT(serving_faults({}, {"--role", "gateway"}), ElementsAre(HasSubstr("MESSAGING_SERVICE_URL")));
  const auto both = ElementsAre(HasSubstr("KAFKA_BROKERS"), HasSubstr("MESSAGING_SERVICE_URL"));
  EXPECT_THAT(serving_faults({}, {"--role", "search"}), both);
  EXPECT_THAT(serving_faults({}, {"--role", "search", "--role", "media"}), both);
  EXPECT_THAT(serving_faults({{"KAFKA_BROKERS", "k:9092"}}, {"--role", "search"}),
              ElementsAre(HasSubstr("MESSAGING_SERVICE_URL")));
  EXPECT_THAT(
      serving_faults({{"KAFKA_BROKERS", "k:9092"}, {"MESSAGING_SERVICE_URL", "http://m"}}, {"--role", "search"}),
      IsEmpty());
}

TEST(Kafka, WhatGoesTogetherIsAskedForTogether) {
  const auto faults = [](Environment environment) {
    environment["KAFKA_BROKERS"] = "k:9092";
    const auto loaded = load_settings(environment, {});
    return loaded ? std::vector<std::string>() : loaded.error();
  };
  EXPECT_THAT(faults({}), IsEmpty());
  EXPECT_THAT(faults({{"KAFKA_SECURITY", "sasl_ssl"}}), ElementsAre(HasSubstr("KAFKA_USERNAME")));
  EXPECT_THAT(faults({{"KAFKA_SECURITY", "sasl_ssl"}, {"KAFKA_USERNAME", "u"}}),
              ElementsAre(HasSubstr("KAFKA_PASSWORD")));
  EXPECT_THAT(faults({{"KAFKA_SECURITY", "sasl_ssl"}, {"KAFKA_USERNAME", "u"}, {"KAFKA_PASSWORD", "p"}}), IsEmpty());
  EXPECT_THAT(faults({{"KAFKA_CERT_FILE", "c"}, {"KAFKA_SECURITY", "ssl"}}),
              ElementsAre(HasSubstr("KAFKA_CERT_FILE and KAFKA_KEY_FILE")));
  EXPECT_THAT(faults({{"KAFKA_KEY_FILE", "k"}}), ElementsAre(HasSubstr("KAFKA_CERT_FILE and KAFKA_KEY_FILE")));
  EXPECT_THAT(faults({{"KAFKA_CERT_FILE", "c"}, {"KAFKA_KEY_FILE", "k"}, {"KAFKA_SECURITY", "ssl"}}), IsEmpty());
  EXPECT_THAT(faults({{"KAFKA_CERT_FILE", "c"}, {"KAFKA_KEY_FILE", "k"}}), ElementsAre(HasSubstr("KAFKA_SECURITY")));
  EXPECT_THAT(faults({{"KAFKA_CA_FILE", "c"}}), ElementsAre(HasSubstr("KAFKA_SECURITY")));
  EXPECT_THAT(faults({{"KAFKA_TOPIC_PREFIX", "a/b"}}), ElementsAre(HasSubstr("KAFKA_TOPIC_PREFIX")));
  EXPECT_THAT(faults({{"KAFKA_TOPIC_PREFIX", "parley-1."}}), IsEmpty());
}

TEST(Serving, RefusesOtherThanLoopbackWithoutARealKey) {
  for (const char* address : {"0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "128.0.0.1"}) {
    EXPECT_THAT(serving_faults({{"BIND_ADDRESS", address}}), ElementsAre(HasSubstr("JWT_PUBLIC_KEY"))) << address;
    EXPECT_THAT(serving_faults({{"BIND_ADDRESS", address}, {"JWKS_URL", "https://a/"}}), IsEmpty());
    EXPECT_THAT(serving_faults({{"BIND_ADDRESS", address}, {"JWKS_FILE", "f"}}), IsEmpty());
    EXPECT_THAT(serving_faults({{"BIND_ADDRESS", address}, {"JWT_PUBLIC_KEY", std::string(kPem)}}), IsEmpty());
  }
  for (const char* address : {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_THAT(serving_faults({{"BIND_ADDRESS", address}}), IsEmpty()) << address;
  }
  EXPECT_FALSE(is_loopback_address("localhost"));
}

TEST(ProcessEnvironment, IsReadAsItStands) {
  ASSERT_EQ(setenv("PARLEY_CONFIG_TEST", "a=b", 1), 0);
  EXPECT_EQ(process_environment().at("PARLEY_CONFIG_TEST"), "a=b");
}

}  // namespace
}  // namespace parley
