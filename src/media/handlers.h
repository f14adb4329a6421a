// The handlers of media, one for each operation of api/media.yaml, and what they share. Each is
// parse → authorise → call → encode. They run on the loop that serves the request; a failure is an Error that
// media_routes.cc turns into a problem.
#pragma once
#include <chrono>
#include <memory>

#include "http/openapi/validated_request.h"
#include "media/blob_store.h"
#include "media/media_store.h"
#include "tenancy/caller.h"

namespace parley::media {

class FileRights;
class MediaMetrics;
class UploadEngine;
class UrlSigner;

// The parts of the role, made once; each outlives every call.
struct Media {
  MediaStore& store;
  BlobStore& blobs;
  UploadEngine& uploads;
  FileRights& rights;
  const UrlSigner& signer;
  std::chrono::seconds signed_url_life;  // unless asked for another
  MediaMetrics& metrics;
  const Clock& clock;
};

// One request on its way; lives in the frame of the coroutine that serves it.
struct Call {
  Media& media;
  http::Exchange& exchange;
  const http::openapi::ValidatedRequest& request;
  std::shared_ptr<const Caller> caller;  // null on internal routes; whoever signed a signed address
  SteadyTime deadline;
};

using Answer = Task<Result<http::Response>>;

Answer upload_files(Call& call);
Answer begin_upload(Call& call);
Answer put_chunk(Call& call);
Answer complete_upload(Call& call);
Answer abort_upload(Call& call);
Answer get_upload_progress(Call& call);

Answer get_tus_options(Call& call);
Answer create_tus_upload(Call& call);
Answer get_tus_upload(Call& call);
Answer continue_tus_upload(Call& call);
Answer end_tus_upload(Call& call);
Answer override_tus_method(Call& call);

Answer download_file(Call& call);
Answer stream_file(Call& call);
Answer sign_download(Call& call);
Answer list_files(Call& call);
Answer get_file(Call& call);
Answer delete_file(Call& call);
Answer get_thumbnail(Call& call);
Answer get_usage(Call& call);

Answer look_up_files(Call& call);

}  // namespace parley::media
