#include "media/file_rights.h"

namespace parley::media {

Task<Result<bool>> FileRights::is_shown(const Reader& reader, const FileId& file, SteadyTime deadline) {
  if (attachments_ == nullptr) co_return false;
  co_return co_await attachments_->shows(reader, file, deadline);
}

Task<Result<File>> FileRights::readable_file(Reader reader, FileId file, SteadyTime deadline) {
  if (!is_uuid(file.value)) co_return not_found("file");  // no id of ours, whoever asks
  Result<File> own = co_await store_.get_own_file(reader.tenant, reader.user, file, deadline);
  if (own || own.error().kind != ErrorKind::kNotFound) co_return own;
  const Result<bool> shown = co_await is_shown(reader, file, deadline);
  if (!shown) co_return fail(shown.error());
  if (!*shown) co_return not_found("file");
  co_return co_await store_.get_file(reader.tenant, file, deadline);
}

Task<Result<std::vector<File>>> FileRights::readable_files(Reader reader, std::vector<FileId> files,
                                                           SteadyTime deadline) {
  Result<std::vector<File>> found = co_await store_.get_files(reader.tenant, std::move(files), deadline);
  if (!found) co_return found;
  std::vector<File> readable;
  for (File& file : *found) {
    if (file.owner != reader.user) {
      const Result<bool> shown = co_await is_shown(reader, file.id, deadline);
      if (!shown) co_return fail(shown.error());
      if (!*shown) continue;
    }
    readable.push_back(std::move(file));
  }
  co_return readable;
}

}  // namespace parley::media
