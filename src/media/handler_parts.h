// What the handlers of media are made of: parameters, checks of what a body is, answers with their headers.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "media/file_rights.h"
#include "media/handlers.h"

namespace parley::media {

// Parameters.
FileId path_id(const Call& call, std::string_view name);
std::optional<std::uint64_t> size_parameter(const Call& call, std::string_view name);

// The request's Content-Type as it is said, at most 255 bytes of it; empty: none.
std::string declared_type(const http::Fields& fields);
// Its name alone, in lower case.
std::string type_name(const http::Fields& fields);
// unsupported_media_type for a body that is coded: its bytes would not be those of the file.
Result<> expect_plain_bytes(const http::Fields& fields);

// The caller, as who reads a file; see FileRights.
Reader reader_of(const Call& call);
// The caller's own upload; see UploadEngine::find.
Task<Result<Upload>> own_upload(const Call& call);

// Answers.
http::Response empty_response(int status = 204);
http::Response file_response(int status, const File& file, std::string_view location);

}  // namespace parley::media
