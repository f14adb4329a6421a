#include "search/stores/fts5_tokenizer.h"

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "search/text/analysis.h"

namespace parley::search {

namespace {

using OnToken = int (*)(void*, int, const char*, int, int, int);

class Fts5Sink final : public TokenSink {
 public:
  Fts5Sink(void* context, OnToken on_token) : context_(context), on_token_(on_token) {}
  bool on_token(std::string_view term, std::size_t begin, std::size_t end, bool same_place) override {
    code = on_token_(context_, same_place ? FTS5_TOKEN_COLOCATED : 0, term.data(), static_cast<int>(term.size()),
                     static_cast<int>(begin), static_cast<int>(end));
    return code == SQLITE_OK;
  }
  int code = SQLITE_OK;

 private:
  void* context_;
  OnToken on_token_;
};

int emit_listed_terms(std::string_view text, Fts5Sink& sink) {
  std::string term;
  for (std::size_t at = 1; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) {
      term = kTermsMark;
      term += text.substr(at, end - at);
      if (!sink.on_token(term, at, end, false)) break;
    }
    at = end + 1;
  }
  return sink.code;
}

int tokenize(Fts5Tokenizer*, void* context, int, const char* bytes, int size, OnToken on_token) {
  if (!bytes || size <= 0) return SQLITE_OK;
  const std::string_view text(bytes, static_cast<std::size_t>(size));
  Fts5Sink sink(context, on_token);
  try {
    if (text[0] == kTermsMark) return emit_listed_terms(text, sink);
    if (text[0] == kVerbatimMark) {
      sink.on_token(text.substr(1), 0, text.size(), false);
    } else {
      analyze(text, sink);
    }
    return sink.code;
  } catch (const std::exception&) {  // no exception may pass through C
    return SQLITE_NOMEM;
  }
}

int create(void*, const char**, int, Fts5Tokenizer** out) {
  static char only;  // it has no state, but null would mean failure
  *out = reinterpret_cast<Fts5Tokenizer*>(&only);
  return SQLITE_OK;
}
void destroy(Fts5Tokenizer*) {}

constexpr int kBodyColumn = 0;

void tally(const Fts5ExtensionApi* api, Fts5Context* fts, sqlite3_context* out, int count, sqlite3_value** values) {
  const int phrases = count == 1 ? std::min(sqlite3_value_int(values[0]), api->xPhraseCount(fts)) : 0;
  if (phrases <= 0) return sqlite3_result_null(out);
  std::string answer(static_cast<std::size_t>(phrases), '\0');
  for (int phrase = 0; phrase < phrases; ++phrase) {
    Fts5PhraseIter at;
    int column = 0, offset = 0, hits = 0;
    if (const int code = api->xPhraseFirst(fts, phrase, &at, &column, &offset); code != SQLITE_OK) {
      return sqlite3_result_error_code(out, code);
    }
    for (; column >= 0 && hits < 255; api->xPhraseNext(fts, &at, &column, &offset)) ++hits;
    answer[static_cast<std::size_t>(phrase)] = static_cast<char>(static_cast<unsigned char>(hits));
  }
  int terms = 0;
  if (const int code = api->xColumnSize(fts, kBodyColumn, &terms); code != SQLITE_OK) {
    return sqlite3_result_error_code(out, code);
  }
  answer += std::to_string(terms);
  sqlite3_result_blob64(out, answer.data(), answer.size(), SQLITE_TRANSIENT);
}

fts5_api* fts5_of(sqlite3* handle) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &statement, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  if (!api) throw sqlite::Failure(code == SQLITE_OK ? SQLITE_ERROR : code, "this SQLite has no FTS5");
  return api;
}

}  // namespace

void register_fts5_parts(sqlite::Connection& connection) {
  fts5_api* const api = fts5_of(connection.handle());
  void* context = nullptr;
  fts5_tokenizer tokenizer{create, destroy, tokenize};
  fts5_tokenizer present{};
  if (api->xFindTokenizer(api, "parley", &context, &present) == SQLITE_OK && present.xTokenize == tokenize) return;
  int code = api->xCreateTokenizer(api, "parley", nullptr, &tokenizer, nullptr);
  if (code == SQLITE_OK) code = api->xCreateFunction(api, "parley_tally", nullptr, tally, nullptr);
  if (code != SQLITE_OK) throw sqlite::Failure(code, "cannot register the tokenizer");
}

}  // namespace parley::search
