#include "media/media_routes.h"

#include "http/openapi/operation_route.h"

namespace parley::media {

namespace {

struct Row {
  const char* operation;
  Answer (*handle)(Call& call);
};

constexpr Row kTable[] = {
    {"upload_files", upload_files},
    {"begin_upload", begin_upload},
    {"put_chunk", put_chunk},
    {"complete_upload", complete_upload},
    {"abort_upload", abort_upload},
    {"get_upload_progress", get_upload_progress},
    // By tus 1.0.0.
    {"get_tus_options", get_tus_options},
    {"create_tus_upload", create_tus_upload},
    {"get_tus_upload", get_tus_upload},
    {"continue_tus_upload", continue_tus_upload},
    {"end_tus_upload", end_tus_upload},
    {"override_tus_method", override_tus_method},
    // The bytes of files.
    {"download_file", download_file},
    {"sign_download", sign_download},
    {"stream_file", stream_file},
    {"get_thumbnail", get_thumbnail},
    // What is known of them.
    {"list_files", list_files},
    {"get_file", get_file},
    {"delete_file", delete_file},
    {"get_usage", get_usage},
    {"look_up_files", look_up_files},
};

Answer serve(Media& media, const Row& row, http::Exchange& exchange, const http::openapi::ValidatedRequest& request) {
  Call call{media, exchange, request, exchange.caller, exchange.due()};
  co_return co_await row.handle(call);
}

}  // namespace

std::vector<http::Route> media_routes(const http::openapi::Contract& contract, Media& media) {
  std::vector<http::Route> routes;
  for (const Row& row : kTable) {
    routes.push_back(http::openapi::operation_route(
        contract, row.operation,
        [&media, &row](http::Exchange& exchange, const http::openapi::ValidatedRequest& request) {
          return serve(media, row, exchange, request);
        }));
  }
  return routes;
}

}  // namespace parley::media
