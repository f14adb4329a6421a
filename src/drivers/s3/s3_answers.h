// What S3 says in XML, read with pugixml (which knows no entities of a document's own, so that none can grow), and what
// we say in it. Pure; any thread. nullopt: not the XML that it should be.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace parley::s3 {

struct ListedObject {
  std::string key;
  std::uint64_t size = 0;
  WallTime modified_at{};  // to the second, with most
};

// A page of a list. `next` is what to ask on with; none: that was all.
struct ObjectList {
  std::vector<ListedObject> objects;
  std::optional<std::string> next;
};
std::optional<ObjectList> parse_object_list(std::string_view xml);

struct MultipartUpload {
  std::string key;
  std::string id;
  WallTime begun_at{};
};
struct MultipartList {
  std::vector<MultipartUpload> uploads;
  bool has_more = false;
  std::string next_key;
  std::string next_id;
};
std::optional<MultipartList> parse_multipart_list(std::string_view xml);

// The id of a multipart upload that was just begun.
std::optional<std::string> parse_upload_id(std::string_view xml);
// Of a copied object or part, with its quotes.
std::optional<std::string> parse_copied_etag(std::string_view xml);
// The code of an <Error>, wherever it stands at the top: a 200 may have one, too. Empty: there is none.
std::string error_code(std::string_view xml);
// Of a deletion of many: the code of the first that could not be deleted. Empty: all were.
std::optional<std::string> first_failed_deletion(std::string_view xml);

std::string delete_request(std::span<const std::string> keys);
// ETags of the parts, the first first.
std::string complete_request(std::span<const std::string> etags);

}  // namespace parley::s3
