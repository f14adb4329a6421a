// Who may read a file: its owner, and the present members of a conversation with a live message that attaches it; that
// is messaging's to know, behind the port AttachmentAccess. Made and owned by app/; called on any loop.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "media/media_store.h"

namespace parley::media {

// Who reads, and in whose request.
struct Reader {
  TenantId tenant;
  UserId user;
  std::string request_id{}, traceparent{};  // to be passed on; empty: none
};

class AttachmentAccess {
 public:
  virtual ~AttachmentAccess() = default;
  // Whether a message shows the file to the reader now. unavailable when that cannot be learned in time.
  virtual Task<Result<bool>> shows(Reader reader, FileId file, SteadyTime deadline) = 0;
};

class FileRights {
 public:
  // Both must outlive this. Without `attachments` only owners read.
  FileRights(MediaStore& store, AttachmentAccess* attachments) : store_(store), attachments_(attachments) {}

  // The file, if the reader may have it. not_found for one that is unknown, deleted, of another tenant or not theirs to
  // read, after the same questions, so that the time tells no more than the answer; unavailable when messaging cannot
  // be asked.
  Task<Result<File>> readable_file(Reader reader, FileId file, SteadyTime deadline);
  // Of these, at most kMaxFilesAtOnce, those that the reader may have, in their order.
  Task<Result<std::vector<File>>> readable_files(Reader reader, std::vector<FileId> files, SteadyTime deadline);

 private:
  Task<Result<bool>> is_shown(const Reader& reader, const FileId& file, SteadyTime deadline);

  MediaStore& store_;
  AttachmentAccess* const attachments_;
};

}  // namespace parley::media
