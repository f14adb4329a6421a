#include "search/stores/opensearch_schema.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include "search/text/analysis.h"

namespace parley::search {

namespace json = boost::json;

namespace {

json::object keyword() {
  return {{"type", "keyword"}};
}
json::object number() {
  return {{"type", "long"}};
}
json::object flag() {
  return {{"type", "boolean"}};
}
// Kept, and looked for by nobody.
json::object only_kept() {
  return {{"type", "text"}, {"index", false}, {"norms", false}};
}

json::object message_mappings() {
  // Beginnings of 2 to 4 characters are terms too: those of many words would cost a look at each of them.
  const json::object terms{
      {"type", "text"}, {"analyzer", "parley_terms"},   {"search_analyzer", "parley_places"},
      {"norms", false}, {"index_options", "positions"}, {"index_prefixes", {{"min_chars", 2}, {"max_chars", 4}}}};
  return {{"tenant", keyword()},
          {"generation", number()},
          {"conversation", keyword()},
          {"message", keyword()},
          {"number", number()},
          {"live", flag()},
          {"told", flag()},
          {"any", flag()},
          {"seq", number()},
          {"created_at", number()},
          {"sender", keyword()},
          {"mentions", keyword()},
          {"has_file", flag()},
          {"has_link", flag()},
          {"has_reaction", flag()},
          {"content", only_kept()},
          {"file_names", only_kept()},
          {"terms", terms}};
}

json::object directory_mappings() {
  const json::object names{{"type", "nested"}, {"properties", {{"kind", {{"type", "byte"}}}, {"text", keyword()}}}};
  return {{"kind", keyword()},        {"tenant", keyword()}, {"generation", number()}, {"conversation", keyword()},
          {"user", keyword()},        {"number", number()},  {"live", flag()},         {"name", only_kept()},
          {"topic", only_kept()},     {"archived", flag()},  {"spellings", keyword()}, {"terms", keyword()},
          {"topic_terms", keyword()}, {"names", names}};
}

json::object state_mappings() {
  return {{"kind", keyword()}, {"tenant", keyword()}, {"rebuilding", flag()}, {"trash", flag()}, {"offset", number()}};
}

json::object analysis() {
  const json::object places{{"type", "custom"}, {"tokenizer", "parley_places"}};
  const json::object terms{{"type", "custom"}, {"tokenizer", "parley_places"}, {"filter", {"parley_alternatives"}}};
  return {{"tokenizer", {{"parley_places", {{"type", "pattern"}, {"pattern", " "}}}}},
          {"filter",
           {{"parley_alternatives",
             {{"type", "pattern_capture"}, {"preserve_original", false}, {"patterns", json::array{"([^|]+)"}}}}}},
          {"analyzer", {{"parley_places", places}, {"parley_terms", terms}}}};
}

// White space of any kind, which a tokenizer may cut at.
bool separates(unsigned char c) {
  return c <= ' ' || c == 0x7F || c == '|' || c == '%';
}

class TermText final : public TokenSink {
 public:
  bool on_token(std::string_view term, std::size_t, std::size_t, bool same_place) override {
    if (!text.empty()) text += same_place ? '|' : ' ';
    text += as_term(term);
    return true;
  }
  std::string text;
};

}  // namespace

std::string IndexTemplate::template_body() const {
  return json::serialize(json::object{{"index_patterns", json::array{alias + "-*"}},
                                      {"priority", 100},
                                      {"template", {{"settings", settings}, {"mappings", mappings}}}});
}

std::string IndexTemplate::index_body() const {
  return json::serialize(
      json::object{{"settings", settings}, {"mappings", mappings}, {"aliases", {{alias, {{"is_write_index", true}}}}}});
}

std::vector<IndexTemplate> index_templates(const OpenSearchNames& names, const OpenSearchShards& shards) {
  const auto settings = [&](int count) {
    return json::object{{"number_of_shards", count},
                        {"auto_expand_replicas", shards.replicas},
                        {"refresh_interval", shards.refresh_interval}};
  };
  const auto mappings = [](json::object properties) {
    return json::object{{"dynamic", false}, {"properties", std::move(properties)}};
  };
  json::object of_messages = settings(shards.shards);
  of_messages["analysis"] = analysis();
  return {{names.messages, std::move(of_messages), mappings(message_mappings())},
          {names.directory, settings(1), mappings(directory_mappings())},
          {names.state, settings(1), mappings(state_mappings())}};
}

std::string as_term(std::string_view term) {
  std::string out;
  out.reserve(term.size());
  for (const char c : term) {
    const auto byte = static_cast<unsigned char>(c);
    if (separates(byte)) {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

std::string as_terms(std::string_view text) {
  TermText terms;
  analyze(text, terms);
  return std::move(terms.text);
}

}  // namespace parley::search
