// The handlers of uploads in chunks.
#include "media/handlers.h"

namespace parley::media {

Answer abort_upload(Call& call) {
  const FileId id(call.request.text("upload_id"));
  const TenantId& tenant = call.caller->tenant;
  const auto upload = co_await call.media.store.get_upload(tenant, id, call.deadline);
  if (!upload) co_return fail(upload.error());
  if (upload->owner != call.caller->user) co_return not_found("upload");
  const auto gone = co_await call.media.store.abort_upload(tenant, id, call.deadline);
  if (!gone) co_return fail(gone.error());
  if (const auto removed = co_await call.media.blobs.remove(id, call.deadline); !removed) {
    co_return fail(removed.error());
  }
  http::Response response;
  response.status = 204;
  co_return response;
}

}  // namespace parley::media
