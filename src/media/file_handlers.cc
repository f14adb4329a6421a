// The handlers of what is known of files: reading and listing it, deleting, usage, and what messaging asks.
#include "http/cursor_scope.h"
#include "media/file_cursor.h"
#include "media/file_rights.h"
#include "media/handler_parts.h"
#include "media/json_encoding.h"

namespace parley::media {

namespace {

namespace json = boost::json;

// Why somebody who is neither owner nor admin may not delete it: a reader learns no more than that, others nothing.
Task<Result<>> refuse_deletion(const Call& call, const FileId& id) {
  const Result<File> readable = co_await call.media.rights.readable_file(reader_of(call), id, call.deadline);
  if (!readable) co_return fail(readable.error());
  co_return fail(ErrorKind::kForbidden, "forbidden", "Only its owner or an admin may delete a file.");
}

std::string encode_readable(const std::vector<File>& files) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("files").begin_array();
  for (const File& file : files) {
    writer.begin_object();
    writer.key("id").string(file.id.value);
    writer.key("filename").string(file.filename);
    writer.key("size").number(static_cast<std::int64_t>(file.size));
    writer.key("content_type").string(file.content_type);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return out;
}

}  // namespace

Answer list_files(Call& call) {
  const http::CursorScope scope("list_files", *call.caller, {});
  ListFiles query{.tenant = call.caller->tenant,
                  .owner = call.caller->user,
                  .after = {},
                  .limit = static_cast<std::size_t>(call.request.integer("limit"))};
  if (const auto cursor = call.request.find_text("cursor")) {
    const Result<std::string> payload = scope.open(*cursor);
    if (!payload) co_return fail(payload.error());
    auto after = parse_file_point(*payload);
    if (!after) co_return fail(after.error());
    query.after = std::move(*after);
  }
  const auto page = co_await call.media.store.list_files(std::move(query), call.deadline);
  if (!page) co_return fail(page.error());
  std::optional<std::string> next;
  if (page->has_more) next = scope.seal(to_payload({page->items.back().created_at, page->items.back().id}));
  co_return http::json_response(200, encode_list(page->items, next));
}

Answer get_file(Call& call) {
  const Result<File> file =
      co_await call.media.rights.readable_file(reader_of(call), path_id(call, "file_id"), call.deadline);
  if (!file) co_return fail(file.error());
  co_return http::json_response(200, encode(*file));
}

Answer delete_file(Call& call) {
  const Caller& caller = *call.caller;
  const FileId id = path_id(call, "file_id");
  if (!caller.roles.admin) {
    const Result<File> own = co_await call.media.store.get_own_file(caller.tenant, caller.user, id, call.deadline);
    if (!own && own.error().kind != ErrorKind::kNotFound) co_return fail(own.error());
    // Who could read none of that id is asked about in the same way, so that the time does not tell.
    if (!own) {
      const Result<> refused = co_await refuse_deletion(call, id);
      co_return fail(refused.error());
    }
  }
  const Result<File> deleted = co_await call.media.store.delete_file(caller.tenant, id, caller.user, call.deadline);
  if (!deleted) co_return fail(deleted.error());
  co_return empty_response(204);
}

Answer get_usage(Call& call) {
  const Result<Usage> usage =
      co_await call.media.store.get_usage(call.caller->tenant, call.caller->user, call.deadline);
  if (!usage) co_return fail(usage.error());
  co_return http::json_response(200, encode(*usage));
}

Answer look_up_files(Call& call) {
  const json::object& body = call.request.body();
  const auto text = [&body](const char* name) { return std::string_view(body.at(name).as_string()); };
  std::vector<FileId> ids;
  for (const json::value& id : body.at("files").as_array()) ids.emplace_back(std::string_view(id.as_string()));
  Reader reader{TenantId(text("tenant")), UserId(text("user")), call.exchange.request_id, call.exchange.traceparent};
  const auto files = co_await call.media.rights.readable_files(std::move(reader), std::move(ids), call.deadline);
  if (!files) co_return fail(files.error());
  co_return http::json_response(200, encode_readable(*files));
}

}  // namespace parley::media
