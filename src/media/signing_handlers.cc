// The handler that signs an address.
#include "base/json_writer.h"
#include "media/handler_parts.h"
#include "media/handlers.h"
#include "media/url_signer.h"

namespace parley::media {

Answer sign_download(Call& call) {
  const FileId id(call.request.text("file_id"));
  const Result<File> file = co_await call.media.rights.readable_file(reader_of(call), id, call.deadline);
  if (!file) co_return fail(file.error());

  const std::int64_t given = call.request.find_integer("expires_in").value_or(0);
  const std::chrono::seconds life = given > 0 ? std::chrono::seconds(given) : call.media.signed_url_life;
  const SignedDownload download{
      call.caller->tenant, file->id, call.caller->user,
      call.request.text("disposition") == "inline" ? http::Disposition::kInline : http::Disposition::kAttachment,
      WallTime(std::chrono::ceil<std::chrono::seconds>(call.media.clock.wall_now() + life))};
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("url").string(call.media.signer.address(download));
  json.key("expires_at").time(download.expires_at);
  json.end_object();
  http::Response response = http::json_response(200, std::move(body));
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

}  // namespace parley::media
