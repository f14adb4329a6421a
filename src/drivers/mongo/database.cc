#include "drivers/mongo/database.h"

#include <algorithm>
#include <memory>

#include "base/check.h"

namespace parley::mongo {

namespace {

constexpr std::size_t kInsertedAtOnce = 1'000;
constexpr std::int32_t kNamespaceExists = 48;

using CollectionHandle = std::unique_ptr<mongoc_collection_t, void (*)(mongoc_collection_t*)>;
using CursorHandle = std::unique_ptr<mongoc_cursor_t, void (*)(mongoc_cursor_t*)>;

CollectionHandle open(mongoc_client_t* client, const std::string& database, const char* name) {
  return {mongoc_client_get_collection(client, database.c_str(), name), mongoc_collection_destroy};
}

// An answer as libmongoc fills it in.
class Reply {
 public:
  Reply() { bson_init(&bson_); }
  Reply(const Reply&) = delete;
  ~Reply() { bson_destroy(&bson_); }
  // What libmongoc is to write into.
  bson_t* fresh() {
    bson_destroy(&bson_);
    return &bson_;
  }
  View view() const { return View(bson_); }
  const bson_t& bson() const { return bson_; }

 private:
  bson_t bson_;
};

}  // namespace

std::int64_t Database::time_limit_ms() const {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(limits_.deadline - limits_.clock->steady_now());
  if (left.count() <= 0) throw Failure(FailureKind::kTimeout, 0, "the deadline has passed");
  return std::min(left, limits_.longest).count();
}

Document Database::options_for(Mode mode) const {
  Document options;
  if (session_) {
    bson_error_t error;
    if (!mongoc_client_session_append(session_, options.get(), &error)) throw to_failure(error, {});
    return options;
  }
  if (mode == Mode::kOther) return options;
  const std::unique_ptr<mongoc_write_concern_t, void (*)(mongoc_write_concern_t*)> concern(
      mongoc_write_concern_new(), mongoc_write_concern_destroy);
  if (mode == Mode::kCount) {
    mongoc_write_concern_set_w(concern.get(), 1);
  } else {
    mongoc_write_concern_set_wmajority(concern.get(), static_cast<std::int32_t>(time_limit_ms()));
  }
  CHECK(mongoc_write_concern_append(concern.get(), options.get()));
  return options;
}

Document Database::command(const char* database, Document&& command, Mode mode) {
  ++commands_;
  command.add("maxTimeMS", time_limit_ms());
  const Document options = options_for(mode);
  Reply reply;
  bson_error_t error{};
  // Outside a transaction the client repeats a single write once by itself; within one the whole is tried again.
  const bool repeatable = !session_ && (mode == Mode::kOneWrite || mode == Mode::kCount);
  const bool ok = repeatable ? mongoc_client_write_command_with_opts(client_, database, command.get(), options.get(),
                                                                     reply.fresh(), &error)
                             : mongoc_client_command_with_opts(client_, database, command.get(), nullptr, options.get(),
                                                               reply.fresh(), &error);
  if (!ok) throw to_failure(error, reply.view());
  if (has_write_failure(reply.view())) throw to_write_failure(reply.view());
  return Document(reply.bson());
}

Document Database::write(Document&& what, Mode mode) {
  ++writes_;
  return command(name_->c_str(), std::move(what), mode);
}

Document Database::run(Document what) {
  ++writes_;
  return command(name_->c_str(), std::move(what), Mode::kOther);
}
Document Database::run_on(const char* database, Document what) {
  return command(database, std::move(what), Mode::kOther);
}

std::vector<Document> Database::drain(mongoc_cursor_t* raw) {
  const CursorHandle cursor(raw, mongoc_cursor_destroy);
  std::vector<Document> found;
  const bson_t* next = nullptr;
  while (mongoc_cursor_next(cursor.get(), &next)) found.emplace_back(*next);
  bson_error_t error{};
  const bson_t* reply = nullptr;
  if (mongoc_cursor_error_document(cursor.get(), &error, &reply))
    throw to_failure(error, reply ? View(*reply) : View());
  return found;
}

std::vector<Document> Database::find(const char* collection, const Document& filter, const FindOptions& options) {
  ++commands_;
  Document wanted = options_for(Mode::kOther);
  wanted.add("maxTimeMS", time_limit_ms());
  wanted.add("sort", options.sort).add("projection", options.fields);
  if (options.limit > 0) {
    wanted.add("limit", options.limit);
    if (options.limit == 1) wanted.add("singleBatch", true);
  }
  const auto handle = open(client_, *name_, collection);
  return drain(mongoc_collection_find_with_opts(handle.get(), filter.get(), wanted.get(), nullptr));
}

std::optional<Document> Database::find_one(const char* collection, const Document& filter, FindOptions options) {
  options.limit = 1;
  auto found = find(collection, filter, options);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Document> Database::aggregate(const char* collection, const Array& stages) {
  ++commands_;
  Document wanted = options_for(Mode::kOther);
  wanted.add("maxTimeMS", time_limit_ms());
  const Document pipeline = make_document("pipeline", stages);
  const auto handle = open(client_, *name_, collection);
  return drain(mongoc_collection_aggregate(handle.get(), MONGOC_QUERY_NONE, pipeline.get(), wanted.get(), nullptr));
}

std::int64_t Database::count(const char* collection, const Document& filter) {
  const auto counted = aggregate(
      collection, make_array(make_document("$match", filter),
                             make_document("$group", make_document("_id", Null(), "n", make_document("$sum", 1)))));
  return counted.empty() ? 0 : counted.front().view().integer("n");
}

void Database::insert(const char* collection, const Document& document) {
  insert(collection, std::span(&document, 1));
}

void Database::insert(const char* collection, std::span<const Document> documents) {
  while (!documents.empty()) {
    const auto some = documents.first(std::min(documents.size(), kInsertedAtOnce));
    Array array;
    for (const Document& document : some) array.add(document);
    write(make_document("insert", collection, "documents", array, "ordered", true), Mode::kOneWrite);
    documents = documents.subspan(some.size());
  }
}

Updated Database::update(const char* collection, const Document& filter, const Document& change, bool multi,
                         bool upsert) {
  const Document reply =
      write(make_document("update", collection, "updates",
                          make_array(make_document("q", filter, "u", change, "multi", multi, "upsert", upsert))),
            multi ? Mode::kManyWrites : Mode::kOneWrite);
  return {reply.view().integer("n"), reply.view().integer("nModified")};
}
Updated Database::update_one(const char* collection, const Document& filter, const Document& change, bool upsert) {
  return update(collection, filter, change, false, upsert);
}
Updated Database::update_many(const char* collection, const Document& filter, const Document& change) {
  return update(collection, filter, change, true, false);
}

std::int64_t Database::erase(const char* collection, const Document& filter, int limit) {
  const Document reply =
      write(make_document("delete", collection, "deletes", make_array(make_document("q", filter, "limit", limit))),
            limit == 0 ? Mode::kManyWrites : Mode::kOneWrite);
  return reply.view().integer("n");
}
std::int64_t Database::delete_one(const char* collection, const Document& filter) {
  return erase(collection, filter, 1);
}
std::int64_t Database::delete_many(const char* collection, const Document& filter) {
  return erase(collection, filter, 0);
}

std::optional<Document> Database::find_and_update(const char* collection, const Document& filter,
                                                  const Document& change, bool upsert) {
  const Document reply = write(
      make_document("findAndModify", collection, "query", filter, "update", change, "new", true, "upsert", upsert),
      Mode::kOneWrite);
  const View value = reply.view().document("value");
  if (value.empty()) return std::nullopt;
  return Document().append_all(value);
}

std::int64_t Database::add_to_counter(const char* collection, std::string_view name, std::string_view field,
                                      std::int64_t by) {
  CHECK(!session_);
  const Document reply =
      write(make_document("findAndModify", collection, "query", make_document("_id", name), "update",
                          make_document("$inc", make_document(field, by)), "new", true, "upsert", true),
            Mode::kCount);
  return reply.view().document("value").integer(field);
}

void prepare_collection(Database& database, const std::string& collection, std::span<const Index> indexes) {
  try {
    database.run(make_document("create", collection));
  } catch (const Failure& failure) {
    if (failure.code() != kNamespaceExists) throw;
  }
  if (indexes.empty()) return;
  Array specs;
  for (const Index& index : indexes) {
    Document spec = make_document("key", index.keys, "name", index.name, "partialFilterExpression", index.only_where);
    if (index.unique) spec.add("unique", true);
    specs.add(spec);
  }
  database.run(make_document("createIndexes", collection, "indexes", specs));
}

}  // namespace parley::mongo
