#include "http/in_process_upstream.h"

namespace parley::http {

Task<Result<Response>> InProcessUpstream::call(Request& request, SteadyTime deadline) {
  request.peer = {};
  request.deadline = deadline;
  co_return co_await service_().serve(request);
}

}  // namespace parley::http
