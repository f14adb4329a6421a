// The page at /docs. With Swagger UI embedded (see CMakeLists.txt here) it is that, fed with /openapi.yaml; without it,
// a plain list of the operations made from the contract, which needs no script. Both load from this server alone, and
// the Content-Security-Policy holds them to it.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "http/openapi/contract.h"

namespace parley::http {

inline constexpr std::string_view kDocsPolicy =
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

struct DocsFile {
  std::string_view content_type;
  std::string_view bytes;  // lives as long as the process
};

// What stands at /docs/NAME; nullopt when nothing does.
std::optional<DocsFile> docs_file(std::string_view name);
bool has_swagger_ui();

std::string docs_page(const openapi::Contract& contract);

}  // namespace parley::http
