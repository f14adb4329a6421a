#include "http/content_disposition.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

std::string attachment(std::string_view name) {
  return format_content_disposition(Disposition::kAttachment, name);
}

TEST(ContentDisposition, NamesAPlainNameOnce) {
  EXPECT_EQ(attachment("report (final), v2.txt"), R"(attachment; filename="report (final), v2.txt")");
  EXPECT_EQ(format_content_disposition(Disposition::kInline, "a;b='c'.png"), R"(inline; filename="a;b='c'.png")");
  EXPECT_EQ(attachment(""), R"(attachment; filename="")");
}

TEST(ContentDisposition, NamesAnyOtherNameInUtf8Too) {
  EXPECT_EQ(attachment("naïve 漢.txt"),
            "attachment; filename=\"na_ve _.txt\"; filename*=UTF-8''na%C3%AFve%20%E6%BC%A2.txt");
  EXPECT_EQ(attachment("😀"), "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80");
  EXPECT_EQ(attachment(R"(say "hi".txt)"),
            R"(attachment; filename="say _hi_.txt"; filename*=UTF-8''say%20%22hi%22.txt)");
  EXPECT_EQ(attachment(R"(a\b)"), R"(attachment; filename="a_b"; filename*=UTF-8''a%5Cb)");
  EXPECT_EQ(attachment("100%41.txt"), R"(attachment; filename="100_41.txt"; filename*=UTF-8''100%2541.txt)");
}

TEST(ContentDisposition, NeverCarriesControlCharacters) {
  EXPECT_EQ(attachment("a\r\nSet-Cookie: x\t\x01\x7f"), "attachment; filename=\"a__Set-Cookie: x___\"");
  EXPECT_EQ(attachment("a\xc2\x85z"), "attachment; filename=\"a_z\"");
  EXPECT_EQ(attachment("a\xc2\xa0z"), "attachment; filename=\"a_z\"; filename*=UTF-8''a%C2%A0z");
}

TEST(ContentDisposition, ThatWasWrittenIsReadBack) {
  for (const char* name : {"plain.txt", "naïve 漢.txt", "😀", R"(a"b\c%41;d='e', f)", "%22", ""}) {
    const auto parsed = parse_content_disposition(attachment(name));
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(parsed->type, "attachment");
    EXPECT_EQ(parsed->filename, name);
  }
}

TEST(ContentDisposition, PrefersTheExtendedNameWhereItCanBeRead) {
  const auto name = [](const char* value) { return parse_content_disposition(value).value().filename; };
  EXPECT_EQ(name("attachment; filename=a; filename*=UTF-8''%C3%A4"), "ä");
  EXPECT_EQ(name("attachment; filename*=utf-8'de'%C3%A4; filename=a"), "ä");
  EXPECT_EQ(name("attachment; filename=a; filename*=UTF-8''%FF"), "a");
  EXPECT_EQ(name("attachment; filename=a; filename*=UTF-8''%C"), "a");
  EXPECT_EQ(name("attachment; filename=a; filename*=UTF-8'b"), "a");
  EXPECT_EQ(name("attachment; filename=a; filename*=b"), "a");
  EXPECT_EQ(name("attachment; filename=a; filename*=ISO-8859-1''%E4"), "a");
  EXPECT_EQ(name("attachment; filename*=ISO-8859-1''%E4"), std::nullopt);
  EXPECT_EQ(name("attachment"), std::nullopt);
}

TEST(ContentDisposition, ThatIsMalformedIsNone) {
  for (const char* bad : {"", ";", "attachment; filename", "attachment; filename=", "attachment; filename=\"a",
                          "a/b; filename=x", "attachment; filename=a; filename=b", "attachment filename=a"}) {
    EXPECT_FALSE(parse_content_disposition(bad)) << bad;
  }
}

TEST(FormDisposition, UndoesWhatBrowsersAndCurlDoToNames) {
  const auto name = [](const char* quoted) {
    return *parse_form_disposition("form-data; name=\"f\"; filename=\"" + std::string(quoted) + "\"").value().filename;
  };
  EXPECT_EQ(name("a.txt"), "a.txt");
  EXPECT_EQ(name("say %22hi%22%0D%0A"), "say \"hi\"\r\n");
  EXPECT_EQ(name("say \\\"hi\\\""), "say \"hi\"");
  EXPECT_EQ(name("100%25 %2e %0d %2"), "100%25 %2e %0d %2");
  EXPECT_EQ(name("%2522"), "%2522");
  EXPECT_EQ(name("../../etc/passwd"), "../../etc/passwd");
  EXPECT_EQ(name("C:\\dir\\x.txt"), "C:\\dir\\x.txt");
  EXPECT_EQ(name("caf\xe9"), "caf\xef\xbf\xbd");
  EXPECT_EQ(name("😀"), "😀");
}

TEST(FormDisposition, TellsFieldsFromFiles) {
  const auto field = parse_form_disposition("Form-Data; Name=\"a%22b\"");
  ASSERT_TRUE(field);
  EXPECT_EQ(field->type, "form-data");
  EXPECT_EQ(field->name, "a\"b");
  EXPECT_EQ(field->filename, std::nullopt);
  const auto none_chosen = parse_form_disposition("form-data; name=file; filename=\"\"");
  ASSERT_TRUE(none_chosen);
  EXPECT_EQ(none_chosen->filename, "");
}

}  // namespace
}  // namespace parley::http
