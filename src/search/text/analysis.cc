#include "search/text/analysis.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include "search/text/english_stem.h"
#include "search/text/fold.h"

namespace parley::search {

namespace {

enum class Kind { kSeparator, kWord, kLone, kUnspaced, kApostrophe };

bool is_unspaced(UChar32 point) {
  if (point == 0x30FC || point == 0xFF70) return true;  // the long-vowel mark of kana has no script of its own
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(point, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
    case USCRIPT_BOPOMOFO:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return false;
  }
}

bool is_regional_indicator(UChar32 point) {
  return point >= 0x1F1E6 && point <= 0x1F1FF;
}
bool is_voicing_mark(UChar32 point) {
  return point == 0xFF9E || point == 0xFF9F || point == 0x3099 || point == 0x309A;
}

Kind kind_of(UChar32 point) {
  if (point < 0) return Kind::kSeparator;
  if (point < 0x80) {
    const bool letter = (point | 0x20) >= 'a' && (point | 0x20) <= 'z';
    if (letter || (point >= '0' && point <= '9')) return Kind::kWord;
    return point == '\'' ? Kind::kApostrophe : Kind::kSeparator;
  }
  if (point == 0x2019 || point == 0x2BC || point == 0x5F3 || point == 0x5F4) return Kind::kApostrophe;
  constexpr std::uint32_t kWordTypes = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK;
  const bool letter = (U_GET_GC_MASK(point) & kWordTypes) != 0;
  if (letter && is_unspaced(point)) return Kind::kUnspaced;
  if (is_regional_indicator(point)) return Kind::kWord;
  // A variation selector is a mark, but changes nothing that one could type.
  if (point >= 0xFE00 && point <= 0xFE0F) return Kind::kSeparator;
  if (letter) return Kind::kWord;
  return u_hasBinaryProperty(point, UCHAR_EXTENDED_PICTOGRAPHIC) ? Kind::kLone : Kind::kSeparator;
}

struct Piece {
  Kind kind;  // kWord, kLone or kUnspaced
  std::size_t begin;
  std::size_t end;
  bool has_apostrophe = false;
};

// Hands out the pieces of a text in order.
class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text.substr(0, kMaxTextBytes)) {}

  bool next(Piece& piece) {
    std::size_t at = position_;
    Kind kind = Kind::kSeparator;
    std::size_t begin = at;
    while (at < text_.size()) {
      begin = at;
      kind = kind_of(read(at));
      if (kind != Kind::kSeparator && kind != Kind::kApostrophe) break;
      kind = Kind::kSeparator;
    }
    position_ = at;
    if (kind == Kind::kSeparator) return false;
    piece = {kind, begin, at};
    if (kind == Kind::kWord) extend_word(piece);
    if (kind == Kind::kUnspaced) take_voicing(piece);
    position_ = piece.end;
    return true;
  }

 private:
  UChar32 read(std::size_t& at) const {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text_.data());
    auto i = static_cast<int32_t>(at);
    UChar32 point = 0;
    U8_NEXT(bytes, i, static_cast<int32_t>(text_.size()), point);
    at = static_cast<std::size_t>(i);
    return point;
  }
  void extend_word(Piece& piece) const {
    std::size_t at = piece.end;
    while (at < text_.size()) {
      const Kind kind = kind_of(read(at));
      if (kind == Kind::kApostrophe && at < text_.size()) {
        std::size_t after = at;
        if (kind_of(read(after)) != Kind::kWord) return;
        piece.has_apostrophe = true;
        piece.end = at = after;
      } else if (kind == Kind::kWord) {
        piece.end = at;
      } else {
        return;
      }
    }
  }
  // Half-width kana write their voicing as a character of its own.
  void take_voicing(Piece& piece) const {
    std::size_t at = piece.end;
    while (at < text_.size() && is_voicing_mark(read(at))) piece.end = at;
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

void cut_to_limit(std::string& term) {
  if (term.size() <= kMaxTermBytes) return;
  std::size_t end = kMaxTermBytes;
  while (end > 0 && (static_cast<unsigned char>(term[end]) & 0xC0) == 0x80) --end;
  term.resize(end);
}

// The folded word, without its apostrophes.
void word_term(std::string_view text, bool has_apostrophe, std::string& out) {
  out.clear();
  fold_into(text.substr(0, 4 * kMaxTermBytes), out);
  if (has_apostrophe) {
    for (const std::string_view mark : {"'", "\u2019", "\u02BC", "\u05F3", "\u05F4"}) {
      for (std::size_t at; (at = out.find(mark)) != std::string::npos;) out.erase(at, mark.size());
    }
  }
  cut_to_limit(out);
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Whether an inner part of an identifier begins at `at`: getUser, HTTPServer, utf8Mode.
bool begins_part(std::string_view word, std::size_t at) {
  if (!is_upper(word[at])) return false;
  if (is_lower(word[at - 1]) || is_digit(word[at - 1])) return true;
  return is_upper(word[at - 1]) && at + 1 < word.size() && is_lower(word[at + 1]);
}

class Indexing {
 public:
  Indexing(std::string_view text, TokenSink& sink) : text_(text), sink_(sink) {}

  void run() {
    Cutter cutter(text_);
    Piece piece{};
    bool more = cutter.next(piece);
    while (more && going_) {
      Piece following{};
      more = cutter.next(following);
      if (piece.kind == Kind::kUnspaced) {
        add_character(piece, more && following.kind == Kind::kUnspaced && following.begin == piece.end, following.end);
      } else if (piece.kind == Kind::kWord) {
        add_word(piece);
      } else {
        emit(fold(slice(piece.begin, piece.end)), piece.begin, piece.end, false);
      }
      piece = following;
    }
  }

 private:
  std::string_view slice(std::size_t begin, std::size_t end) const { return text_.substr(begin, end - begin); }

  void emit(std::string_view term, std::size_t begin, std::size_t end, bool same_place) {
    if (!going_ || term.empty()) return;
    going_ = ++count_ <= kMaxTokens && sink_.on_token(term, begin, end, same_place);
  }
  void add_character(const Piece& piece, bool paired, std::size_t pair_end) {
    emit(fold(slice(piece.begin, piece.end)), piece.begin, piece.end, false);
    if (paired) emit(fold(slice(piece.begin, pair_end)), piece.begin, pair_end, true);
  }
  void add_word(const Piece& piece) {
    const std::string_view word = slice(piece.begin, piece.end);
    word_term(word, piece.has_apostrophe, term_);
    emit(term_, piece.begin, piece.end, false);
    const bool plain = is_ascii(word);
    if (plain && english_stem(term_, stem_)) emit(stem_, piece.begin, piece.end, true);
    if (word.size() <= kMaxTermBytes) add_parts(piece, word);
  }
  // Cut before capitals and at apostrophes. Parts of one character would say nothing.
  void add_parts(const Piece& piece, std::string_view word) {
    std::size_t begin = 0;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      const bool apostrophe = i < word.size() && piece.has_apostrophe && apostrophe_bytes(word, i) > 0;
      if (i < word.size() && !apostrophe && !begins_part(word, i)) continue;
      if (i == word.size() && begin == 0) return;  // one part: the word
      if (i - begin > 1) {
        part_.clear();
        fold_into(word.substr(begin, i - begin), part_);
        cut_to_limit(part_);
        emit(part_, piece.begin + begin, piece.begin + i, true);
        if (is_ascii(part_) && english_stem(part_, stem_)) emit(stem_, piece.begin + begin, piece.begin + i, true);
      }
      begin = apostrophe ? i + apostrophe_bytes(word, i) : i;
    }
  }
  static std::size_t apostrophe_bytes(std::string_view word, std::size_t at) {
    if (is_continuation(word[at])) return 0;
    for (const std::string_view mark : {"'", "\u2019", "\u02BC", "\u05F3", "\u05F4"}) {
      if (word.substr(at).starts_with(mark)) return mark.size();
    }
    return 0;
  }

  std::string_view text_;
  TokenSink& sink_;
  bool going_ = true;
  std::size_t count_ = 0;
  std::string term_, stem_, part_;
};

}  // namespace

void analyze(std::string_view text, TokenSink& sink) {
  Indexing(text, sink).run();
}

bool is_unspaced_run(std::string_view text) {
  Cutter cutter(text);
  std::size_t at = 0;
  for (Piece piece{}; at < text.size() && cutter.next(piece); at = piece.end) {
    if (piece.kind != Kind::kUnspaced || piece.begin != at) return false;
  }
  return at > 0 && at == text.size();
}

TermSequence terms_to_find(std::string_view text, Match match, std::size_t most) {
  TermSequence sequence;
  Cutter cutter(text);
  Piece piece{};
  bool more = cutter.next(piece);
  bool after_pair = false;  // the piece is the second character of the pair before it
  while (more && sequence.size() < most) {
    Piece following{};
    more = cutter.next(following);
    const std::string_view slice = text.substr(piece.begin, piece.end - piece.begin);
    if (piece.kind == Kind::kWord) {
      std::string term, stem;
      word_term(slice, piece.has_apostrophe, term);
      std::vector<std::string> any{term};
      if (match == Match::kAlsoStem && is_ascii(term) && english_stem(term, stem)) any.push_back(stem);
      if (!term.empty()) sequence.push_back(std::move(any));
      after_pair = false;
    } else if (piece.kind == Kind::kUnspaced && more && following.kind == Kind::kUnspaced &&
               following.begin == piece.end) {
      sequence.push_back({fold(text.substr(piece.begin, following.end - piece.begin))});
      after_pair = true;
    } else {
      // The last of a run is found by its pair already, unless something follows it whose place must be right.
      if (!after_pair || more) sequence.push_back({fold(slice)});
      after_pair = false;
    }
    piece = following;
  }
  return sequence;
}

std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool may_go_on(std::string_view term) {
  constexpr std::size_t kShortest = 2;
  return count_characters(term) >= kShortest;
}

}  // namespace parley::search
