#include "search/stores/fts5_tokenizer.h"

#include <algorithm>
#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "search/stores/fts5_document.h"
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

// The terms up to kTextMark; answers where the text begins.
std::size_t emit_scope_terms(std::string_view entry, Fts5Sink& sink) {
  std::string term;
  std::size_t at = 1;
  while (at < entry.size() && entry[at] != kTextMark) {
    const std::size_t end = std::min(entry.find(' ', at), entry.size());
    term = kTermsMark;
    term += entry.substr(at, end - at);
    if (!sink.on_token(term, at, end, false)) break;
    at = end + 1;
  }
  return std::min(at + 1, entry.size());
}

int tokenize(Fts5Tokenizer*, void* context, int flags, const char* bytes, int size, OnToken on_token) {
  if (!bytes || size <= 0) return SQLITE_OK;
  const std::string_view text(bytes, static_cast<std::size_t>(size));
  Fts5Sink sink(context, on_token);
  try {
    if (flags & FTS5_TOKENIZE_QUERY) {
      sink.on_token(text, 0, text.size(), false);
    } else if (text[0] == kTermsMark) {
      const std::size_t begin = emit_scope_terms(text, sink);
      if (sink.code == SQLITE_OK) analyze(text.substr(begin), sink);
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

constexpr int kMaxTallied = 128;

void tally(const Fts5ExtensionApi* api, Fts5Context* fts, sqlite3_context* out, int count, sqlite3_value** values) {
  const auto* readable =
      count == 3 ? static_cast<const Readable*>(sqlite3_value_pointer(values[2], Readable::kPointerType)) : nullptr;
  if (!readable || !readable->has(sqlite3_value_int64(values[1]))) return sqlite3_result_null(out);
  std::array<char, kMaxTallied> answer{};
  const int phrases = std::clamp(sqlite3_value_int(values[0]), 0, std::min(kMaxTallied, api->xPhraseCount(fts)));
  for (int phrase = 0; phrase < phrases; ++phrase) {
    Fts5PhraseIter at;
    int column = 0, offset = 0, hits = 0;
    if (const int code = api->xPhraseFirst(fts, phrase, &at, &column, &offset); code != SQLITE_OK) {
      return sqlite3_result_error_code(out, code);
    }
    for (; column >= 0 && hits < 255; api->xPhraseNext(fts, &at, &column, &offset)) ++hits;
    answer[static_cast<std::size_t>(phrase)] = static_cast<char>(static_cast<unsigned char>(hits));
  }
  sqlite3_result_blob(out, answer.data(), phrases, SQLITE_TRANSIENT);
}

void candidate(const Fts5ExtensionApi* api, Fts5Context* fts, sqlite3_context* out, int count, sqlite3_value** values) {
  auto* candidates =
      count == 1 ? static_cast<Candidates*>(sqlite3_value_pointer(values[0], Candidates::kPointerType)) : nullptr;
  try {
    sqlite3_result_int(out, candidates && candidates->wants(api->xRowid(fts)) ? 1 : 0);
  } catch (const sqlite::Failure& failure) {
    sqlite3_result_error_code(out, failure.code());
  } catch (const std::exception&) {
    sqlite3_result_error_nomem(out);
  }
}

std::string_view text_of(sqlite3_value* value) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
  return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value))) : std::string_view();
}

void entry(sqlite3_context* out, int, sqlite3_value** values) {
  try {
    const std::string made = make_entry(sqlite3_value_int64(values[0]), sqlite3_value_int64(values[1]),
                                        text_of(values[2]), sqlite3_value_int64(values[3]), text_of(values[4]));
    sqlite3_result_text64(out, made.data(), made.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  } catch (const std::exception&) {
    sqlite3_result_error_nomem(out);
  }
}

void readable(sqlite3_context* out, int, sqlite3_value** values) {
  const auto* wanted = static_cast<const Readable*>(sqlite3_value_pointer(values[1], Readable::kPointerType));
  if (!wanted || !wanted->has(sqlite3_value_int64(values[0]))) return sqlite3_result_null(out);
  sqlite3_result_text(out, "", 0, SQLITE_STATIC);
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
  if (code == SQLITE_OK) code = api->xCreateFunction(api, "parley_candidate", nullptr, candidate, nullptr);
  if (code == SQLITE_OK) {
    constexpr int kPure = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    code = sqlite3_create_function_v2(connection.handle(), "parley_entry", 5, kPure, nullptr, entry, nullptr, nullptr,
                                      nullptr);
  }
  if (code == SQLITE_OK) {
    code = sqlite3_create_function_v2(connection.handle(), "parley_readable", 2, SQLITE_UTF8, nullptr, readable,
                                      nullptr, nullptr, nullptr);
  }
  if (code != SQLITE_OK) throw sqlite::Failure(code, "cannot register the tokenizer");
}

}  // namespace parley::search
