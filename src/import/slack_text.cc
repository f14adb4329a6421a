#include "import/slack_text.h"

#include <array>
#include <utility>

namespace parley::import {

namespace {

// Slack escapes these three and no others.
void append_unescaped(std::string& out, std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 3> kEntities{
      {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}}};
  while (!text.empty()) {
    bool entity = false;
    for (const auto& [name, c] : kEntities) {
      if (text.starts_with(name)) {
        out += c;
        text.remove_prefix(name.size());
        entity = true;
        break;
      }
    }
    if (entity) continue;
    out += text.front();
    text.remove_prefix(1);
  }
}

// What stands between < and >.
void append_reference(std::string& out, std::string_view inside, const SlackNames& name_of) {
  const std::size_t bar = inside.find('|');
  const std::string_view target = inside.substr(0, bar);
  const std::string_view label = bar == std::string_view::npos ? std::string_view{} : inside.substr(bar + 1);
  const char sigil = target.empty() ? '\0' : target.front();
  if (sigil == '@' || sigil == '#') {
    const std::string name = name_of(target.substr(1));
    out += sigil;
    append_unescaped(out, !name.empty() ? std::string_view(name) : !label.empty() ? label : target.substr(1));
  } else if (sigil == '!') {  // <!here>, <!subteam^S1|@team>, <!date^…|text>
    if (!label.empty()) {
      append_unescaped(out, label);
    } else {
      out += '@';
      append_unescaped(
          out, target.substr(1, target.find('^') == std::string_view::npos ? target.npos : target.find('^') - 1));
    }
  } else if (label.empty() || label == target || target == std::string("mailto:").append(label)) {
    append_unescaped(out, label.empty() ? target : label);
  } else {
    append_unescaped(out, label);
    out += " (";
    append_unescaped(out, target);
    out += ')';
  }
}

}  // namespace

std::string slack_plain_text(std::string_view mrkdwn, const SlackNames& name_of) {
  std::string out;
  out.reserve(mrkdwn.size());
  while (!mrkdwn.empty()) {
    const std::size_t open = mrkdwn.find('<');
    const std::size_t close = open == std::string_view::npos ? open : mrkdwn.find('>', open);
    if (close == std::string_view::npos) break;
    append_unescaped(out, mrkdwn.substr(0, open));
    append_reference(out, mrkdwn.substr(open + 1, close - open - 1), name_of);
    mrkdwn.remove_prefix(close + 1);
  }
  append_unescaped(out, mrkdwn);
  return out;
}

}  // namespace parley::import
