#include "http/operations/docs_page.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parley::http {

namespace {

constexpr std::string_view kStart = R"(window.addEventListener("load", function () {
  SwaggerUIBundle({ url: "openapi.yaml", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, tryItOutEnabled: true });
});
)";

constexpr std::string_view kStyle =
    R"(body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #ccc; padding: .4rem .8rem .4rem 0; vertical-align: top; }
code { font-size: .95em; }
)";

constexpr std::string_view kSwaggerPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
)";

constexpr std::string_view kPlainPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0}</title>
<link rel="stylesheet" href="docs/plain.css">
</head>
<body>
<h1>{0}</h1>
<p>The whole contract, with fields and limits: <a href="openapi.yaml">openapi.yaml</a>.</p>
<table>
{1}</table>
</body>
</html>
)";

}  // namespace

#ifdef PARLEY_HAS_SWAGGER_UI
extern "C" const char swagger_ui_js_begin[], swagger_ui_js_end[], swagger_ui_css_begin[], swagger_ui_css_end[];
namespace {
std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}
}  // namespace
#endif

bool has_swagger_ui() {
#ifdef PARLEY_HAS_SWAGGER_UI
  return true;
#else
  return false;
#endif
}

std::optional<DocsFile> docs_file(std::string_view name) {
  if (name == "start.js") return DocsFile{"text/javascript; charset=utf-8", kStart};
  if (name == "plain.css") return DocsFile{"text/css; charset=utf-8", kStyle};
#ifdef PARLEY_HAS_SWAGGER_UI
  if (name == "swagger-ui-bundle.js") {
    return DocsFile{"text/javascript; charset=utf-8", between(swagger_ui_js_begin, swagger_ui_js_end)};
  }
  if (name == "swagger-ui.css") {
    return DocsFile{"text/css; charset=utf-8", between(swagger_ui_css_begin, swagger_ui_css_end)};
  }
#endif
  return std::nullopt;
}

std::string docs_page(const openapi::Contract& contract) {
  const std::string title = html_escape(contract.title());
  if (has_swagger_ui()) return fmt::format(fmt::runtime(kSwaggerPage), title);
  std::string rows;
  for (const openapi::Operation& operation : contract.operations()) {
    rows += fmt::format("<tr><td><code>{}</code></td><td><code>{}</code></td><td>{}</td></tr>\n",
                        to_string(operation.method), html_escape(operation.pattern), html_escape(operation.summary));
  }
  return fmt::format(fmt::runtime(kPlainPage), title, rows);
}

}  // namespace parley::http
