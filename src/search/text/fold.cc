#include "search/text/fold.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include "base/check.h"

namespace parley::search {

namespace {

struct Normalizers {
  const icu::Normalizer2* casefold;
  const icu::Normalizer2* decompose;
  const icu::Normalizer2* compose;
};

const Normalizers& normalizers() {
  static const Normalizers all = [] {
    UErrorCode status = U_ZERO_ERROR;
    const Normalizers made{icu::Normalizer2::getNFKCCasefoldInstance(status), icu::Normalizer2::getNFDInstance(status),
                           icu::Normalizer2::getNFCInstance(status)};
    CHECK(U_SUCCESS(status));
    return made;
  }();
  return all;
}

// Marks that readers leave out when they type: Latin, Greek and Cyrillic accents, Arabic and Hebrew points. Those of
// kana tell ka from ga, and stay.
bool is_dropped(UChar32 point) {
  constexpr UChar32 kTatweel = 0x640, kVoiced = 0x3099, kHalfVoiced = 0x309A;
  if (point == kTatweel) return true;
  if (u_charType(point) != U_NON_SPACING_MARK || point == kVoiced || point == kHalfVoiced) return false;
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(point, &status)) {
    case USCRIPT_INHERITED:
    case USCRIPT_ARABIC:
    case USCRIPT_HEBREW:
    case USCRIPT_CYRILLIC:
    case USCRIPT_GREEK:
    case USCRIPT_LATIN:
      return true;
    default:
      return false;
  }
}

// Letters whose stroke or missing dot is no mark of its own.
UChar32 plain_letter(UChar32 point) {
  switch (point) {
    case 0x131:  // ı
      return 'i';
    case 0x111:  // đ
      return 'd';
    case 0x142:  // ł
      return 'l';
    case 0xF8:  // ø
      return 'o';
    case 0x649:  // alef maksura, written for yeh
      return 0x64A;
    default:
      return point;
  }
}

}  // namespace

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

void fold_into(std::string_view text, std::string& out) {
  if (is_ascii(text)) {
    for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return;
  }
  UErrorCode status = U_ZERO_ERROR;
  const auto source = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  const icu::UnicodeString apart =
      normalizers().decompose->normalize(normalizers().casefold->normalize(source, status), status);
  icu::UnicodeString kept;
  for (int32_t i = 0; i < apart.length(); i = apart.moveIndex32(i, 1)) {
    const UChar32 point = apart.char32At(i);
    if (!is_dropped(point)) kept.append(plain_letter(point));
  }
  normalizers().compose->normalize(kept, status).toUTF8String(out);
  CHECK(U_SUCCESS(status));
}

std::string fold(std::string_view text) {
  std::string out;
  fold_into(text, out);
  return out;
}

}  // namespace parley::search
