// What is made from the table: `parley config --explain`, docs/configuration.md, .env.example.
#include <algorithm>

#include "config/settings_table.h"

namespace parley {
namespace {

std::string_view source_name(const LoadedSettings::Shown& shown) {
  switch (shown.source) {
    case SettingSource::kDefault:
      return "default";
    case SettingSource::kEnvironment:
      return shown.from_file ? "env (file)" : "env";
    case SettingSource::kFlag:
      return shown.from_file ? "flag (file)" : "flag";
  }
  return {};
}

std::string_view or_none(std::string_view text) {
  return text.empty() ? "(not set)" : text;
}

// Characters, not bytes; enough for aligning columns.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

// A table cell: a bar would end it.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : "`" + cell(text) + "`";
}

}  // namespace

std::string explain_settings(const LoadedSettings& loaded) {
  std::vector<std::array<std::string, 6>> rows{{"NAME", "VALUE", "SOURCE", "DEFAULT", "ALLOWED", "MEANING"}};
  for (const Setting& setting : settings_table()) {
    const LoadedSettings::Shown& shown = loaded.shown.find(setting.name)->second;
    rows.push_back({std::string(setting.name), std::string(or_none(shown.value)), std::string(source_name(shown)),
                    std::string(or_none(setting.fallback)), setting.bounds(), std::string(setting.meaning)});
  }
  std::array<std::size_t, 6> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  const ServeSettings& serve = loaded.settings.serve;
  text += "\nPorts in force:";
  for (const Role role : serve.roles) {
    text.append(" ").append(to_string(role)).append(" ").append(std::to_string(serve.port_of(role)));
  }
  return text + "\n";
}

std::string configuration_markdown() {
  std::string text =
      "# Configuration\n\n"
      "<!-- Made from src/config/settings_table.cc; a test fails when it differs. To write it anew:\n"
      "     PARLEY_WRITE_DOCS=1 build/dev/src/config/config_test --gtest_filter='Generated*' -->\n\n"
      "Every setting is an environment variable and a flag of `parley serve`; a flag goes before the variable, the "
      "variable before the default. An empty variable counts as not set. Numbers are plain decimals in the unit the "
      "name "
      "ends with. A wrong value, or a flag that is not known, stops the start with a message that names each of "
      "them.\n\n"
      "For a variable marked *or file*, `NAME_FILE` (`--name-file`) names a file that holds the value instead. "
      "`parley config --explain` prints every setting with the value in force and where it came from; secrets are not "
      "shown.\n\n"
      "A role that runs alone takes its port from its own flag, then `PORT`, then its `*_PORT`, then the default.\n";
  std::string_view section;
  for (const Setting& setting : settings_table()) {
    if (setting.section != section) {
      section = setting.section;
      text.append("\n## ").append(section).append("\n\n");
      text += "| Variable | Flag | Meaning | Default | Allowed | Required | Example |\n|---|---|---|---|---|---|---|\n";
    }
    text.append("| `").append(setting.name).append("`").append(setting.may_be_file ? ", or file" : "");
    text.append(" | `--").append(setting.flag_name()).append("` | ").append(cell(setting.meaning));
    text.append(" | ").append(setting.fallback.empty() ? "not set" : code(setting.fallback));
    text.append(" | ").append(cell(setting.bounds())).append(" | ").append(cell(setting.required));
    text.append(" | ").append(code(setting.example)).append(" |\n");
  }
  return text;
}

std::string env_example() {
  std::string text =
      "# Every setting of Parley, with its default; see docs/configuration.md. Made from "
      "src/config/settings_table.cc.\n"
      "# Copy to .env and take the # from the lines you change.\n";
  text +=
      "\n# --- Containers ---\n\n# Image that the compose files run, and build where it is "
      "missing.\n#PARLEY_IMAGE=parley:local\n";
  std::string_view section;
  for (const Setting& setting : settings_table()) {
    if (setting.section != section) {
      section = setting.section;
      text.append("\n# --- ").append(section).append(" ---\n");
    }
    text.append("\n# ").append(setting.meaning).append("\n# Allowed: ").append(setting.bounds());
    text.append(". Default: ").append(or_none(setting.fallback)).append(".\n");
    text.append("#").append(setting.name).append("=");
    text.append(setting.fallback.empty() ? setting.example : setting.fallback).append("\n");
  }
  return text;
}

}  // namespace parley
