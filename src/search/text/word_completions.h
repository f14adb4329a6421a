// WordCompletions: the words of texts that begin as something typed does, the most used first. What is typed is one
// word, or characters of a script without spaces; these are completed to the end of the word that they begin, by ICU's
// dictionaries, and count themselves too. A value of one thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace parley::search {

// What was typed, without spaces around it: the last word, and what stands before it with the space between.
struct TypedText {
  std::string_view before;  // empty: there is one word
  std::string_view last;
};
TypedText split_typed(std::string_view typed);

class WordCompletions {
 public:
  // Texts are read to this length only: what lies beyond says little of how often a word is used.
  static constexpr std::size_t kMostBytes = 4 * 1024;

  explicit WordCompletions(std::string_view typed);

  // Whether what is typed can be completed: not several words, nor a single letter.
  bool possible() const { return !typed_.empty(); }
  bool is_unspaced() const { return unspaced_; }
  std::size_t typed_characters() const;
  void add(std::string_view text);
  std::size_t uses() const { return uses_; }
  std::vector<std::string> most_used(std::size_t most) const;

 private:
  bool may_have_it(std::string_view text) const;
  void add_words(std::string_view text);
  void add_runs(std::string_view text);
  void count(std::string word);

  std::string typed_;  // folded; empty when it cannot be completed
  bool unspaced_ = false;
  std::size_t uses_ = 0;
  std::unordered_map<std::string, int> counts_;
};

}  // namespace parley::search
