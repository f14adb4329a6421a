// A message whose body is a run of a file, sent by the kernel (sendfile(2)): no byte of it passes through this process.
// Over plain TCP alone. Runs on the connection's loop, as part of its session or call.
#pragma once
#include "http/body_framing.h"

namespace parley::http {

// As write_message(), for a `run` that `body.as_file()` gave and that is all there is of it. A file that has become
// shorter ends in kBodyFailed. What the kernel cannot send from is read instead.
Task<WrittenMessage> send_file(Connection& connection, std::string_view head, FileRun run, Body& body,
                               MessageWriting how);

}  // namespace parley::http
