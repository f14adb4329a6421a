// Slack's mrkdwn as plain text: mentions and channels by name, links as "label (url)", entities resolved. Pure.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace parley::import {

// The name of a user or channel id; empty when unknown.
using SlackNames = std::function<std::string(std::string_view id)>;

std::string slack_plain_text(std::string_view mrkdwn, const SlackNames& name_of);

}  // namespace parley::import
