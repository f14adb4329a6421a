#include "drivers/s3/s3_answers.h"

#include <pugixml.hpp>

#include "base/text.h"

namespace parley::s3 {

namespace {

// The document, if its root is of that name.
std::optional<pugi::xml_document> parse(std::string_view xml, const char* root) {
  std::optional<pugi::xml_document> document(std::in_place);
  if (!document->load_buffer(xml.data(), xml.size()) || !document->child(root)) return std::nullopt;
  return document;
}

bool is_true(const pugi::xml_node& node) {
  return std::string_view(node.text().get()) == "true";
}

// Nullopt: not a time.
std::optional<WallTime> time_of(const pugi::xml_node& node) {
  return parse_rfc3339(node.text().get());
}

void append_element(pugi::xml_node parent, const char* name, const std::string& text) {
  parent.append_child(name).text().set(text.c_str());
}

std::string text_of(const pugi::xml_document& document) {
  struct Writer final : pugi::xml_writer {
    std::string text;
    void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
  } writer;
  document.save(writer, "", pugi::format_raw | pugi::format_no_declaration);
  return std::move(writer.text);
}

}  // namespace

std::optional<ObjectList> parse_object_list(std::string_view xml) {
  const auto document = parse(xml, "ListBucketResult");
  if (!document) return std::nullopt;
  const pugi::xml_node root = document->child("ListBucketResult");
  ObjectList list;
  for (const pugi::xml_node& entry : root.children("Contents")) {
    const auto size = parse_u64(entry.child("Size").text().get());
    const auto modified = time_of(entry.child("LastModified"));
    ListedObject object{.key = entry.child("Key").text().get()};
    if (object.key.empty() || !size || !modified) return std::nullopt;
    object.size = *size;
    object.modified_at = *modified;
    list.objects.push_back(std::move(object));
  }
  if (is_true(root.child("IsTruncated"))) {
    list.next = root.child("NextContinuationToken").text().get();
    if (list.next->empty()) return std::nullopt;
  }
  return list;
}

std::optional<MultipartList> parse_multipart_list(std::string_view xml) {
  const auto document = parse(xml, "ListMultipartUploadsResult");
  if (!document) return std::nullopt;
  const pugi::xml_node root = document->child("ListMultipartUploadsResult");
  MultipartList list;
  for (const pugi::xml_node& entry : root.children("Upload")) {
    const auto begun = time_of(entry.child("Initiated"));
    MultipartUpload upload{.key = entry.child("Key").text().get(), .id = entry.child("UploadId").text().get()};
    if (upload.key.empty() || upload.id.empty() || !begun) return std::nullopt;
    upload.begun_at = *begun;
    list.uploads.push_back(std::move(upload));
  }
  list.has_more = is_true(root.child("IsTruncated"));
  list.next_key = root.child("NextKeyMarker").text().get();
  list.next_id = root.child("NextUploadIdMarker").text().get();
  if (list.has_more && list.next_key.empty()) return std::nullopt;
  return list;
}

std::optional<std::string> parse_upload_id(std::string_view xml) {
  const auto document = parse(xml, "InitiateMultipartUploadResult");
  if (!document) return std::nullopt;
  std::string id = document->child("InitiateMultipartUploadResult").child("UploadId").text().get();
  if (id.empty()) return std::nullopt;
  return id;
}

std::optional<std::string> parse_copied_etag(std::string_view xml) {
  for (const char* root : {"CopyObjectResult", "CopyPartResult"}) {
    const auto document = parse(xml, root);
    if (!document) continue;
    std::string etag = document->child(root).child("ETag").text().get();
    if (!etag.empty()) return etag;
  }
  return std::nullopt;
}

std::string error_code(std::string_view xml) {
  const auto document = parse(xml, "Error");
  return document ? document->child("Error").child("Code").text().get() : "";
}

std::optional<std::string> first_failed_deletion(std::string_view xml) {
  const auto document = parse(xml, "DeleteResult");
  if (!document) return std::nullopt;
  for (const pugi::xml_node& entry : document->child("DeleteResult").children("Error")) {
    std::string code = entry.child("Code").text().get();
    if (code != "NoSuchKey") return code.empty() ? "unknown" : code;
  }
  return "";
}

std::string delete_request(std::span<const std::string> keys) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("Delete");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (const std::string& key : keys) append_element(root.append_child("Object"), "Key", key);
  append_element(root, "Quiet", "true");
  return text_of(document);
}

std::string complete_request(std::span<const std::string> etags) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (std::size_t i = 0; i < etags.size(); ++i) {
    pugi::xml_node part = root.append_child("Part");
    append_element(part, "PartNumber", std::to_string(i + 1));
    append_element(part, "ETag", etags[i]);
  }
  return text_of(document);
}

}  // namespace parley::s3
