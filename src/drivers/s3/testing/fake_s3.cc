#include "drivers/s3/testing/fake_s3.h"

#include <algorithm>
#include <csignal>

#include "base/check.h"
#include "base/sha256.h"
#include "base/text.h"

namespace parley::s3::testing {

namespace {

http::Response xml(std::string body) {
  return http::text_response(200, "application/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + std::move(body));
}

std::string element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + html_escape(text) + "</" + name + ">";
}

std::string etag(std::string_view bytes) {
  return "\"" + hex_encode(sha256(bytes)).substr(0, 32) + "\"";
}

std::map<std::string, std::string> parse_query(std::string_view query) {
  std::map<std::string, std::string> parsed;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    parsed[*percent_decode(pair.substr(0, equals))] = *percent_decode(value);
  }
  return parsed;
}

// "bytes=5-9" of `bytes`; all of them without a range.
std::optional<std::string> cut(const std::string& bytes, std::string range) {
  if (range.empty()) return bytes;
  range.erase(0, std::string_view("bytes=").size());
  const std::size_t dash = range.find('-');
  const std::size_t first = std::stoull(range.substr(0, dash));
  const std::size_t last = std::stoull(range.substr(dash + 1));
  if (first >= bytes.size()) return std::nullopt;
  return bytes.substr(first, last - first + 1);
}

// The texts of all elements of that name.
std::vector<std::string> elements(std::string_view text, const std::string& name) {
  std::vector<std::string> found;
  const std::string open = "<" + name + ">", close = "</" + name + ">";
  for (std::size_t at = 0; (at = text.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    found.emplace_back(text.substr(at, text.find(close, at) - at));
  }
  return found;
}

}  // namespace

http::Response s3_error(int status, const std::string& code) {
  http::Response response = xml("<Error>" + element("Code", code) + element("Message", "no") + "</Error>");
  response.status = status;
  return response;
}

FakeS3::FakeS3() {
  std::signal(SIGPIPE, SIG_IGN);  // as the program does
  loops_.start();
  server_ = std::make_unique<http::Server>(loops_, *this, http::ServerOptions{.role = "s3"});
  CHECK(server_->start());
}

FakeS3::~FakeS3() {
  server_->stop(std::chrono::seconds(5));
  loops_.stop();
}

void FakeS3::set_fault(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

void FakeS3::fail_first(int times, std::string method, int status, std::string code) {
  set_fault([=](const http::Request& request) mutable -> std::optional<http::Response> {
    if (request.method_text != method || times == 0) return std::nullopt;
    --times;
    return s3_error(status, code);
  });
}

void FakeS3::set_time(WallTime time) {
  const std::lock_guard lock(mutex_);
  time_ = time;
}

std::string FakeS3::time() const {
  return format_rfc3339(time_.value_or(SystemClock().wall_now()));
}

std::map<std::string, std::string> FakeS3::objects() const {
  const std::lock_guard lock(mutex_);
  return objects_;
}
void FakeS3::put(std::string key, std::string bytes) {
  const std::lock_guard lock(mutex_);
  objects_[std::move(key)] = std::move(bytes);
}
std::size_t FakeS3::multipart_uploads() const {
  const std::lock_guard lock(mutex_);
  return multiparts_.size();
}
std::vector<std::string> FakeS3::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}
std::size_t FakeS3::count(const std::string& method) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(requests_, [&](const std::string& each) { return each.starts_with(method + " "); }));
}

Task<http::Response> FakeS3::serve(http::Request& request) {
  Asked asked{.method = std::string(request.method_text), .query = parse_query(request.query)};
  const auto field = [&request](std::string_view name) { return std::string(request.fields.find(name).value_or("")); };
  const std::string bucket = "/" + std::string(kBucket);
  const std::string path = *percent_decode(request.path);
  asked.range = field("range");
  asked.copy_source = field("x-amz-copy-source");
  asked.copy_range = field("x-amz-copy-source-range");
  asked.if_absent = field("if-none-match") == "*";
  auto body = co_await http::read_all(*request.body, 100 << 20);
  const std::lock_guard lock(mutex_);
  requests_.push_back(asked.method + " " + std::string(request.target));
  if (fault_) {
    if (auto answer = fault_(request)) co_return std::move(*answer);
  }
  if (!body) co_return s3_error(400, "IncompleteBody");
  if (!field("authorization").starts_with("AWS4-HMAC-SHA256 ")) co_return s3_error(403, "AccessDenied");
  if (field("x-amz-content-sha256") != hex_encode(sha256(*body))) co_return s3_error(400, "XAmzContentSHA256Mismatch");
  if (!path.starts_with(bucket)) co_return s3_error(404, "NoSuchBucket");
  asked.key = path.size() > bucket.size() ? path.substr(bucket.size() + 1) : "";
  asked.body = std::move(*body);
  co_return answer(asked);
}

http::Response FakeS3::answer(const Asked& asked) {
  const auto asks = [&asked](const char* name) { return asked.query.contains(name); };
  if (asked.method == "GET" && asked.key.empty()) return asks("uploads") ? list_multiparts() : list(asked);
  if (asked.method == "GET" || asked.method == "HEAD") return get(asked);
  if (asked.method == "PUT") return put_object(asked);
  if (asked.method == "POST" && asks("delete")) return delete_many(asked);
  if (asked.method == "POST" && asks("uploads")) {
    const std::string id = std::to_string(++next_id_);
    multiparts_[id].key = asked.key;
    return xml("<InitiateMultipartUploadResult>" + element("UploadId", id) + "</InitiateMultipartUploadResult>");
  }
  if (asked.method == "POST" && asks("uploadId")) return complete(asked);
  if (asked.method == "DELETE") {
    if (asks("uploadId") && multiparts_.erase(asked.query.at("uploadId")) == 0) return s3_error(404, "NoSuchUpload");
    if (!asks("uploadId")) objects_.erase(asked.key);
    return http::text_response(204, "text/plain", "");
  }
  return s3_error(501, "NotImplemented");
}

http::Response FakeS3::get(const Asked& asked) {
  if (asked.key.empty()) return http::text_response(200, "text/plain", "");
  const auto found = objects_.find(asked.key);
  if (found == objects_.end()) return s3_error(404, "NoSuchKey");
  auto bytes = cut(found->second, asked.range);
  if (!bytes) return s3_error(416, "InvalidRange");
  http::Response response = http::text_response(asked.range.empty() ? 200 : 206, "text/plain", {});
  response.headers.add("ETag", etag(found->second));
  if (asked.method == "HEAD") {
    response.head_length = bytes->size();
  } else {
    response.body = std::move(*bytes);
  }
  return response;
}

std::optional<std::string> FakeS3::copied(const Asked& asked) const {
  const std::string source = *percent_decode(asked.copy_source);
  const auto found = objects_.find(source.substr(kBucket.size() + 2));
  if (found == objects_.end()) return std::nullopt;
  return cut(found->second, asked.copy_range);
}

http::Response FakeS3::put_object(const Asked& asked) {
  if (asked.key.empty()) return http::text_response(200, "text/plain", "");  // the bucket itself
  std::string bytes = asked.body;
  if (!asked.copy_source.empty()) {
    auto source = copied(asked);
    if (!source) return s3_error(404, "NoSuchKey");
    bytes = std::move(*source);
  }
  if (asked.query.contains("uploadId")) return put_part(asked, bytes);
  if (asked.if_absent && objects_.contains(asked.key)) return s3_error(412, "PreconditionFailed");
  const std::string tag = etag(bytes);
  objects_[asked.key] = std::move(bytes);
  if (!asked.copy_source.empty()) return xml("<CopyObjectResult>" + element("ETag", tag) + "</CopyObjectResult>");
  http::Response response = http::text_response(200, "text/plain", "");
  response.headers.add("ETag", tag);
  return response;
}

http::Response FakeS3::put_part(const Asked& asked, const std::string& bytes) {
  const auto found = multiparts_.find(asked.query.at("uploadId"));
  if (found == multiparts_.end()) return s3_error(404, "NoSuchUpload");
  const std::string tag = etag(bytes);
  found->second.parts[std::stoi(asked.query.at("partNumber"))] = bytes;
  if (!asked.copy_source.empty()) return xml("<CopyPartResult>" + element("ETag", tag) + "</CopyPartResult>");
  http::Response response = http::text_response(200, "text/plain", "");
  response.headers.add("ETag", tag);
  return response;
}

http::Response FakeS3::complete(const Asked& asked) {
  const auto found = multiparts_.find(asked.query.at("uploadId"));
  if (found == multiparts_.end()) return s3_error(404, "NoSuchUpload");
  const auto numbers = elements(asked.body, "PartNumber");
  const auto tags = elements(asked.body, "ETag");
  std::string whole;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto part = found->second.parts.find(std::stoi(numbers[i]));
    if (part == found->second.parts.end() || etag(part->second) != tags.at(i)) return s3_error(400, "InvalidPart");
    if (i + 1 < numbers.size() && part->second.size() < (5 << 20)) return s3_error(400, "EntityTooSmall");
    whole += part->second;
  }
  objects_[asked.key] = std::move(whole);
  multiparts_.erase(found);
  return xml("<CompleteMultipartUploadResult>" + element("Key", asked.key) + "</CompleteMultipartUploadResult>");
}

http::Response FakeS3::list(const Asked& asked) {
  const auto parameter = [&asked](const char* name) {
    const auto found = asked.query.find(name);
    return found == asked.query.end() ? std::string() : found->second;
  };
  const std::string prefix = parameter("prefix");
  std::string after = parameter("continuation-token");
  if (after.empty()) after = parameter("start-after");
  const std::size_t limit = std::stoul(parameter("max-keys"));
  std::string entries, last;
  std::size_t count = 0;
  bool is_cut = false;
  for (auto each = objects_.lower_bound(prefix); each != objects_.end() && each->first.starts_with(prefix); ++each) {
    if (each->first <= after) continue;
    is_cut = count == limit;
    if (is_cut) break;
    ++count;
    last = each->first;
    entries += "<Contents>" + element("Key", each->first) + element("LastModified", time()) +
               element("Size", std::to_string(each->second.size())) + "</Contents>";
  }
  return xml("<ListBucketResult>" + element("IsTruncated", is_cut ? "true" : "false") +
             (is_cut ? element("NextContinuationToken", last) : "") + entries + "</ListBucketResult>");
}

http::Response FakeS3::list_multiparts() {
  std::string entries;
  for (const auto& [id, upload] : multiparts_) {
    entries +=
        "<Upload>" + element("Key", upload.key) + element("UploadId", id) + element("Initiated", time()) + "</Upload>";
  }
  return xml("<ListMultipartUploadsResult>" + entries + "</ListMultipartUploadsResult>");
}

http::Response FakeS3::delete_many(const Asked& asked) {
  for (const std::string& key : elements(asked.body, "Key")) objects_.erase(key);
  return xml("<DeleteResult></DeleteResult>");
}

}  // namespace parley::s3::testing
