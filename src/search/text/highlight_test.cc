#include "search/text/highlight.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "search/query_parser.h"

namespace parley::search {
namespace {

std::string lit(std::string_view text, std::string_view query, std::size_t most = kSnippetBytes) {
  return highlight(text, *parse_query(query), most);
}

TEST(Highlight, MarksTheWordInTheSpellingOfTheText) {
  EXPECT_EQ(lit("Zwei CAFÉS hier", "cafes"), "Zwei <em>CAFÉS</em> hier");
  EXPECT_EQ(lit("the servers run", "server"), "the <em>servers</em> run");
  EXPECT_EQ(lit("東京会議室です", "会議室"), "東京<em>会議室</em>です");
  EXPECT_EQ(lit("installing it", "inst*"), "<em>installing</em> it");
}

TEST(Highlight, HtmlInAMessageNeverComesOutAsHtml) {
  EXPECT_EQ(lit("<script>alert('x')</script> & \"grub\"", "script grub"),
            "&lt;<em>script</em>&gt;alert(&#39;x&#39;)&lt;/<em>script</em>&gt; &amp; &quot;<em>grub</em>&quot;");
  EXPECT_EQ(lit("<em>no</em>", "zzz"), "&lt;em&gt;no&lt;/em&gt;");
}

TEST(Highlight, ExcludedWordsAreNotMarked) {
  EXPECT_EQ(lit("a kde b", "a -kde"), "<em>a</em> kde b");
}

TEST(Highlight, ALongTextIsCutAroundItsFirstMatchAtWholeCharacters) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "é ";
  text += "needle";
  for (int i = 0; i < 500; ++i) text += " ü";
  for (std::size_t most = 40; most < 60; ++most) {
    const std::string out = lit(text, "needle", most);
    EXPECT_NE(out.find("<em>needle</em>"), out.npos) << out;
    EXPECT_TRUE(out.starts_with("…") && out.ends_with("…")) << out;
    EXPECT_TRUE(is_valid_utf8(out));
    EXPECT_LT(out.size(), most + 20);
  }
}

}  // namespace
}  // namespace parley::search
