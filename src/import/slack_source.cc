#include "import/slack_source.h"

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <tuple>

#include "base/text.h"
#include "import/slack_text.h"

namespace parley::import {

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMaxFileBytes = 64 * 1024 * 1024;

std::string_view text_at(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

const json::object* object_at(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value ? value->if_object() : nullptr;
}

const json::array* array_at(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value ? value->if_array() : nullptr;
}

// The file as a list of JSON values.
Result<json::value> load_list(const fs::path& path) {
  std::error_code gone;
  const std::uint64_t bytes = fs::file_size(path, gone);
  if (gone) return fail(ErrorKind::kInvalid, "unreadable_file", "Cannot read " + path.string() + ".");
  if (bytes > kMaxFileBytes) return fail(ErrorKind::kInvalid, "file_too_large", path.string() + " is over 64 MiB.");
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(bytes))) {
    return fail(ErrorKind::kInvalid, "unreadable_file", "Cannot read " + path.string() + ".");
  }
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_array()) {
    return fail(ErrorKind::kInvalid, "not_slack", path.string() + " is no JSON list, as a Slack export has it.");
  }
  return value;
}

// "1355517523.000005": seconds and a number that makes it unique in its channel.
std::optional<WallTime> parse_ts(std::string_view ts) {
  const std::size_t dot = ts.find('.');
  const auto seconds = parse_u64(ts.substr(0, dot));
  if (!seconds || *seconds > 99'999'999'999) return std::nullopt;
  std::uint64_t milliseconds = 0;
  if (dot != std::string_view::npos) {
    std::string fraction(ts.substr(dot + 1));
    if (fraction.empty() || fraction.size() > 9 || !parse_u64(fraction)) return std::nullopt;
    fraction.resize(3, '0');
    milliseconds = *parse_u64(fraction);
  }
  return WallTime(std::chrono::milliseconds(*seconds * 1000 + milliseconds));
}

bool is_said(std::string_view subtype) {
  return subtype.empty() || subtype == "bot_message" || subtype == "me_message" || subtype == "file_share" ||
         subtype == "thread_broadcast";
}

// Files are named, not fetched: their links need a token of the workspace.
void append_files(std::string& content, const json::object& message) {
  const json::array* files = array_at(message, "files");
  if (!files) return;
  for (const json::value& item : *files) {
    const json::object* file = item.if_object();
    if (!file) continue;
    const std::string_view name = text_at(*file, "name").empty() ? text_at(*file, "title") : text_at(*file, "name");
    content.append(content.empty() ? "" : "\n").append("[file: ").append(name.empty() ? "no longer there" : name);
    content += ']';
  }
}

}  // namespace

struct SlackSource::Post {
  WallTime time{};
  std::string_view ts;
  const json::object* message = nullptr;
};

SlackSource::SlackSource(std::string conversation_prefix, const Clock& clock)
    : conversation_prefix_(std::move(conversation_prefix)), clock_(clock) {}

Result<std::unique_ptr<SlackSource>> SlackSource::open(const fs::path& folder, std::string conversation_prefix,
                                                       const Clock& clock) {
  std::unique_ptr<SlackSource> source(new SlackSource(std::move(conversation_prefix), clock));
  if (auto done = source->load_users(folder / "users.json"); !done) return std::unexpected(std::move(done.error()));
  if (auto done = source->load_channels(folder, "channels.json", true); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto done = source->load_channels(folder, "groups.json", false); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return source;
}

Result<> SlackSource::load_users(const fs::path& file) {
  const Result<json::value> list = load_list(file);
  if (!list) return std::unexpected(list.error());
  std::unordered_map<std::string, int> uses;
  for (const json::value& item : list->get_array()) {
    const json::object* user = item.if_object();
    if (!user || text_at(*user, "id").empty()) continue;
    std::string name(text_at(*user, "name"));
    if (name.empty() || !is_valid_author("slack:" + name)) name = text_at(*user, "id");
    ++uses[name];
    user_names_.emplace(text_at(*user, "id"), std::move(name));
  }
  // Names shared by several would make them one author: those go by their ids.
  for (auto& [id, name] : user_names_) {
    if (uses[name] > 1) name = id;
  }
  return {};
}

Result<> SlackSource::load_channels(const fs::path& folder, const char* list_name, bool required) {
  std::error_code gone;
  if (!required && !fs::exists(folder / list_name, gone)) return {};
  const Result<json::value> list = load_list(folder / list_name);
  if (!list) return std::unexpected(list.error());
  for (const json::value& item : list->get_array()) {
    const json::object* object = item.if_object();
    const std::string name(object ? text_at(*object, "name") : std::string_view{});
    // The name is a folder's: it must not lead out of the export.
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        !is_valid_id(conversation_prefix_ + name)) {
      return fail(ErrorKind::kInvalid, "not_slack",
                  std::string(list_name) + " has a channel without a usable name: " + name);
    }
    Channel channel{{ConversationId(conversation_prefix_ + name), name, {}}, {}};
    if (const json::object* topic = object_at(*object, "topic")) {
      channel.conversation.topic = cut_utf8(text_at(*topic, "value"), kMaxTopicBytes);
    }
    channel_names_.emplace(text_at(*object, "id"), name);
    if (fs::is_directory(folder / name, gone)) {
      if (auto days = find_source_files(folder / name, {".json"})) channel.days = std::move(*days);
    }
    channels_.push_back(std::move(channel));
  }
  return {};
}

std::uint64_t SlackSource::total_bytes() const {
  std::uint64_t bytes = 0;
  for (const Channel& channel : channels_) bytes += total_size(channel.days);
  return bytes;
}

std::string SlackSource::name_of(std::string_view id) const {
  const std::string key(id);
  if (const auto user = user_names_.find(key); user != user_names_.end()) return user->second;
  if (const auto channel = channel_names_.find(key); channel != channel_names_.end()) return channel->second;
  return {};
}

std::string SlackSource::author_of_user(std::string_view user_id) const {
  const auto user = user_names_.find(std::string(user_id));
  return "slack:" + (user != user_names_.end() ? user->second : std::string(user_id));
}

Result<> SlackSource::read(ImportSink& sink) {
  for (const Channel& channel : channels_) {
    for (const SourceFile& day : channel.days) {
      const bool go_on = read_day(channel, day, sink);
      sink.advanced(day.bytes);
      if (!go_on) return {};
      sink.file_done();
    }
    sink.conversation_done(channel.conversation.id);
  }
  return {};
}

bool SlackSource::read_day(const Channel& channel, const SourceFile& day, ImportSink& sink) const {
  const std::string file = channel.conversation.name + "/" + day.name;
  const Result<json::value> list = load_list(day.path);
  if (!list) {
    sink.left_out(LeftOut::kFault, "day file that cannot be read", file, list.error().detail);
    return true;
  }
  std::vector<Post> posts;
  for (const json::value& item : list->get_array()) {
    const json::object* message = item.if_object();
    const std::string_view ts = message ? text_at(*message, "ts") : std::string_view{};
    const auto time = parse_ts(ts);
    if (!time) {
      sink.left_out(LeftOut::kFault, "entry without a time", file, {});
      continue;
    }
    posts.push_back({*time, ts, message});
  }
  // A reply must follow what it answers.
  std::ranges::sort(posts, {}, [](const Post& post) { return std::tuple(post.time, post.ts, post.message); });

  return std::ranges::all_of(posts, [&](const Post& post) { return read_post(channel, file, post, sink); });
}

bool SlackSource::read_post(const Channel& channel, const std::string& file, const Post& post, ImportSink& sink) const {
  const json::object& message = *post.message;
  const std::string_view subtype = text_at(message, "subtype");
  if (!is_said(subtype) || text_at(message, "type") != "message") {
    sink.left_out("event: " + std::string(subtype.empty() ? "no message" : cut_utf8(subtype, 40)));
    return true;
  }
  ImportLine line;
  line.place = file + ":" + std::string(post.ts);
  line.external_id = post.ts;
  line.author = author_of(message);
  line.content = slack_plain_text(text_at(message, "text"), [this](std::string_view id) { return name_of(id); });
  append_files(line.content, message);
  line.created_at = post.time;
  const std::string_view thread = text_at(message, "thread_ts");
  if (!thread.empty() && thread != post.ts && thread.size() <= kMaxExternalIdBytes) line.reply_to = thread;
  if (line.content.find_first_not_of(" \t\r\n") == std::string::npos) {
    sink.left_out("empty text");
    return true;
  }
  if (const auto fault = fault_of(line, clock_.wall_now())) {
    sink.left_out(LeftOut::kFault, *fault, line.place, {});
    return true;
  }
  if (object_at(message, "edited")) sink.noted("edited messages, imported as last edited");
  if (const json::array* reactions = array_at(message, "reactions")) {
    for (const json::value& reaction : *reactions) {
      if (reaction.is_object()) add_reaction(reaction.get_object(), line, sink);
    }
  }
  return sink.message(channel.conversation, std::move(line));
}

std::string SlackSource::author_of(const json::object& message) const {
  if (const std::string_view user = text_at(message, "user"); !user.empty()) return author_of_user(user);
  std::string_view bot = text_at(message, "username");
  if (bot.empty()) bot = text_at(message, "bot_id");
  return "slack:" + std::string(bot.empty() ? "unknown" : bot);
}

void SlackSource::add_reaction(const json::object& given, ImportLine& line, ImportSink& sink) const {
  ImportReaction reaction{std::string(text_at(given, "name")), {}};
  const json::array* users = array_at(given, "users");
  for (std::size_t i = 0; users && i < users->size() && reaction.users.size() < kMaxReactionUsers; ++i) {
    const json::value& id = (*users)[i];
    std::string author = id.is_string() ? author_of_user(id.get_string()) : std::string();
    if (is_valid_author(author) && std::ranges::find(reaction.users, author) == reaction.users.end()) {
      reaction.users.push_back(std::move(author));
    }
  }
  if (reaction.reaction.empty() || reaction.reaction.size() > kMaxReactionBytes || reaction.users.empty() ||
      has_control_characters(reaction.reaction) || is_dot_segment(reaction.reaction) ||
      line.reactions.size() >= kMaxReactions) {
    sink.noted("reactions left out");
    return;
  }
  if (users->size() > reaction.users.size()) sink.noted("reactions of which some users are left out");
  line.reactions.push_back(std::move(reaction));
}

}  // namespace parley::import
