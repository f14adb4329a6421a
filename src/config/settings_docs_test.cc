#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/settings_table.h"

namespace parley {
namespace {

using testing::HasSubstr;

// Holds a committed file against what the code makes; PARLEY_WRITE_DOCS writes it instead.
void expect_committed(const std::string& name, const std::string& made) {
  const std::string path = std::string(PARLEY_SOURCE_DIR) + "/" + name;
  if (std::getenv("PARLEY_WRITE_DOCS") != nullptr) std::ofstream(path, std::ios::binary) << made;
  std::ostringstream committed;
  committed << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_TRUE(committed.str() == made) << name << " differs from the settings; write it anew with "
                                       << "PARLEY_WRITE_DOCS=1 config_test --gtest_filter='Generated*'";
}

TEST(GeneratedConfigurationDocument, IsTheCommittedOne) {
  expect_committed("docs/configuration.md", configuration_markdown());
}

TEST(GeneratedEnvironmentExample, IsTheCommittedOne) {
  expect_committed(".env.example", env_example());
}

TEST(GeneratedFiles, NameEverySettingWithItsMeaning) {
  const std::string document = configuration_markdown(), example = env_example();
  for (const Setting& setting : settings_table()) {
    EXPECT_THAT(document, HasSubstr("`" + std::string(setting.name) + "`"));
    EXPECT_THAT(document, HasSubstr("`--" + setting.flag_name() + "`"));
    EXPECT_THAT(example, HasSubstr("\n#" + std::string(setting.name) + "="));
    EXPECT_THAT(example, HasSubstr(std::string(setting.meaning)));
  }
}

TEST(GeneratedEnvironmentExample, SetsNothingUntilItIsEdited) {
  std::istringstream lines(env_example());
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(line.empty() || line.front() == '#') << line;
}

TEST(Explain, ShowsTheValueInForceItsSourceAndItsBounds) {
  const std::vector<std::string> flags{"--threads", "7"};
  const auto loaded = load_settings({{"JWT_ISSUER", "https://id.example.com/"}}, flags);
  ASSERT_TRUE(loaded);
  std::map<std::string, std::string> lines;
  std::istringstream text(explain_settings(*loaded));
  for (std::string line; std::getline(text, line);) lines[line.substr(0, line.find(' '))] = line;
  for (const Setting& setting : settings_table()) EXPECT_TRUE(lines.contains(std::string(setting.name)));
  EXPECT_THAT(lines["THREADS"], testing::ContainsRegex("THREADS +7 +flag +0 +0 to 256 +Event loops"));
  EXPECT_THAT(lines["JWT_ISSUER"], testing::ContainsRegex("JWT_ISSUER +https://id.example.com/ +env +\\(not set\\)"));
  EXPECT_THAT(lines["GATEWAY_PORT"], testing::ContainsRegex("GATEWAY_PORT +3000 +default +3000 +0 to 65535"));
  EXPECT_THAT(explain_settings(*loaded),
              HasSubstr("Ports in force: gateway 3000 messaging 3004 media 3005 search 3006\n"));
}

}  // namespace
}  // namespace parley
