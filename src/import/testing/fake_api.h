// A server of the import API in memory, for tests: conversations, messages known by external id, seqs in order. Faults
// are put in by the test. Any thread.
#pragma once
#include <boost/json.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "import/import_api.h"

namespace parley::import {

class FakeApi final : public ImportApi {
 public:
  struct Conversation {
    bool imported = true;
    std::string name;
    std::vector<boost::json::object> messages;
    std::set<std::string, std::less<>> external_ids;
  };
  using Answer = Result<ApiAnswer>;

  Answer call(http::Method method, std::string_view path, std::string_view content_type,
              std::string_view body) override {
    const std::lock_guard lock(mutex_);
    ++calls;
    if (before) {
      if (auto answer = before(path, body)) return std::move(*answer);
    }
    Answer answer = serve(method, path, content_type, body);
    if (after) {
      if (auto instead = after(path, body)) return std::move(*instead);
    }
    return answer;
  }

  static Answer problem(int status, std::string_view detail = "no") {
    return ApiAnswer{status, boost::json::serialize(boost::json::object{{"detail", detail}}), {}};
  }
  static Answer lost() { return unavailable("upstream_unavailable", "The server cannot be reached."); }

  std::map<std::string, Conversation, std::less<>> conversations;
  int calls = 0;
  // Answers instead of the server, before or after it did its work; nullopt: the server's own answer.
  std::function<std::optional<Answer>(std::string_view path, std::string_view body)> before, after;
  std::set<std::string, std::less<>> refused_authors;

 private:
  Answer serve(http::Method method, std::string_view path, std::string_view content_type, std::string_view body) {
    namespace json = boost::json;
    if (path == "/v1/conversations") return open(json::parse(body).as_object());
    const bool import = path.ends_with("/import");
    std::string_view id = path.substr(std::string_view("/v1/conversations/").size());
    if (import) id.remove_suffix(std::string_view("/import").size());
    const auto found = conversations.find(percent_decode(id).value());
    if (found == conversations.end()) return problem(404);
    if (method == http::Method::kGet) {
      return ApiAnswer{200, json::serialize(json::object{{"imported", found->second.imported}}), {}};
    }
    if (content_type != "application/x-ndjson") return problem(415);
    if (!found->second.imported) return problem(409);
    return store(found->second, body);
  }

  Answer open(const boost::json::object& request) {
    const std::string id(request.at("id").as_string());
    const std::string name(request.at("name").as_string());
    const auto [found, fresh] = conversations.emplace(id, Conversation{});
    if (fresh) found->second.name = name;
    if (!fresh && (!found->second.imported || found->second.name != name)) return problem(409);
    return ApiAnswer{fresh ? 201 : 200, "{}", {}};
  }

  // Whole or not at all, as the contract says.
  Answer store(Conversation& conversation, std::string_view body) {
    namespace json = boost::json;
    std::vector<json::object> lines;
    json::array errors;
    std::set<std::string, std::less<>> known = conversation.external_ids;
    while (!body.empty()) {
      const std::size_t end = body.find('\n');
      lines.push_back(json::parse(body.substr(0, end)).as_object());
      body.remove_prefix(end + 1);
      const std::string at = "/" + std::to_string(lines.size() - 1);
      if (refused_authors.contains(std::string_view(lines.back().at("author").as_string()))) {
        errors.push_back({{"path", at + "/author"}, {"message", "has signed in"}});
      }
      if (const json::value* reactions = lines.back().if_contains("reactions")) {
        for (const json::value& user : reactions->as_array().at(0).at("users").as_array()) {
          if (!refused_authors.contains(std::string_view(user.as_string()))) continue;
          errors.push_back({{"path", at + "/reactions/0/users/0"}, {"message", "has signed in"}});
        }
      }
      const json::value* reply = lines.back().if_contains("reply_to_external_id");
      if (reply && !known.contains(std::string_view(reply->as_string()))) {
        errors.push_back({{"path", at + "/reply_to_external_id"}, {"message", "is not there"}});
      }
      known.emplace(lines.back().at("external_id").as_string());
    }
    if (errors.size() > 20) errors.resize(20);
    if (!errors.empty()) return ApiAnswer{400, json::serialize(json::object{{"errors", errors}}), {}};
    if (lines.empty() || lines.size() > 1000) return problem(400);
    std::int64_t created = 0;
    for (json::object& line : lines) {
      if (!conversation.external_ids.emplace(line.at("external_id").as_string()).second) continue;
      ++created;
      conversation.messages.push_back(std::move(line));
    }
    const auto existing = static_cast<std::int64_t>(lines.size()) - created;
    return ApiAnswer{200, json::serialize(json::object{{"created", created}, {"existing", existing}}), {}};
  }

  std::mutex mutex_;
};

}  // namespace parley::import
