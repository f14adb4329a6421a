#include "auth/http_jwks_source.h"

#include "auth/key_set.h"

namespace parley::auth {

Task<Result<std::string>> HttpJwksSource::fetch(SteadyTime deadline) {
  http::TextBody nothing("");
  http::Request request;
  request.method_text = "GET";
  request.set_target(target_);
  request.fields.add(http::FieldId::accept, "Accept", "application/jwk-set+json, application/json");
  request.body = &nothing;
  Result<http::Response> response = co_await upstream_->call(request, deadline);
  if (!response) co_return fail(std::move(response.error()));
  if (response->status != 200) {
    co_return unavailable("unavailable", "The JWKS URL answered " + std::to_string(response->status) + ".");
  }
  std::string text = std::move(response->body);
  while (response->stream) {
    const Result<std::string_view> piece = co_await response->stream->read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) break;
    if (clock_.steady_now() >= deadline) co_return unavailable("unavailable", "The JWKS URL answered too slowly.");
    text.append(*piece);
    if (text.size() > KeySet::kMaxTextBytes) break;
  }
  if (text.size() > KeySet::kMaxTextBytes) co_return unavailable("unavailable", "The JWKS is over 256 KiB.");
  co_return text;
}

}  // namespace parley::auth
