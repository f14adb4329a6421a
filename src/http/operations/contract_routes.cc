#include "base/json_writer.h"
#include "http/operations/docs_page.h"
#include "http/operations/operational_routes.h"
#include "http/problem.h"

namespace parley::http {

namespace {

// Text that outlives the answer: no copy is made for each request.
class StaticBody final : public Body {
 public:
  explicit StaticBody(std::string_view text) : text_(text), size_(text.size()) {}
  Task<Result<std::string_view>> read() override { co_return std::exchange(text_, {}); }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::string_view text_;
  std::uint64_t size_;
};

Response file_response(std::string_view content_type, std::string_view bytes, std::string_view cache_control) {
  Response response;
  response.headers.add("Content-Type", content_type);
  response.headers.add("Cache-Control", cache_control);
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.stream = std::make_unique<StaticBody>(bytes);
  return response;
}

Task<Response> answer_contract(const openapi::Contract& contract) {
  co_return file_response("application/yaml", contract.text(), "no-cache");
}

Task<Response> answer_page(const std::string& page) {
  Response response = file_response("text/html; charset=utf-8", page, "no-cache");
  response.headers.add("Content-Security-Policy", kDocsPolicy);
  response.headers.add("Referrer-Policy", "no-referrer");
  co_return response;
}

Task<Response> answer_root(const std::string& text) {
  co_return json_response(200, text);
}

std::string root_text(const openapi::Contract& contract) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("name").string(contract.title());
  json.key("docs").string("docs");
  json.key("contract").string("openapi.yaml");
  json.key("health").string("health");
  json.end_object();
  return text;
}

// The page's own links are relative to /docs, so it cannot be answered here. Relative, for what stands in front may
// serve us below a path of its own.
Task<Response> answer_slash(Exchange&) {
  Response response;
  response.status = 308;
  response.headers.add("Location", "../docs");
  co_return response;
}

Task<Response> answer_file(Exchange& exchange) {
  if (const auto file = docs_file(exchange.path.at("file"))) {
    co_return file_response(file->content_type, file->bytes, "public, max-age=3600");
  }
  co_return problem_response({ErrorKind::kNotFound, "route_not_found", "No route has this path.", {}, {}},
                             exchange.request_id);
}

}  // namespace

std::vector<Route> contract_routes(std::shared_ptr<const openapi::Contract> contract) {
  const auto page = std::make_shared<const std::string>(docs_page(*contract));
  const auto root = std::make_shared<const std::string>(root_text(*contract));
  return {contract->route("get_root", [root](Exchange&) { return answer_root(*root); }),
          contract->route("get_openapi", [contract](Exchange&) { return answer_contract(*contract); }),
          contract->route("get_docs", [page](Exchange&) { return answer_page(*page); }),
          {Method::kGet, "/docs/", answer_slash, Access::kOpen, ""},
          {Method::kGet, "/docs/{file}", [](Exchange& exchange) { return answer_file(exchange); }, Access::kOpen, ""}};
}

}  // namespace parley::http
