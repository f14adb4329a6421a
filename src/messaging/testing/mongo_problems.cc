#include "messaging/testing/mongo_problems.h"

#include <algorithm>
#include <map>

#include "messaging/stores/mongo_documents.h"

namespace parley::messaging::testing {

namespace {

using mongo::Document;
using mongo::make_document;
using mongo::View;

std::string hex(std::span<const std::uint8_t> bytes) {
  return bytes.size() == 16 ? format_uuid(bytes) : "?";
}

struct Everything {
  explicit Everything(mongo::Database& db)
      : conversations(db.find(mongodb::collection::kConversations, {})),
        members(db.find(mongodb::collection::kMembers, {})),
        messages(db.find(mongodb::collection::kMessages, {}, {.sort = make_document("conversation", 1, "seq", 1)})),
        versions(db.find(mongodb::collection::kVersions, {})),
        reactions(db.find(mongodb::collection::kReactions, {})),
        events(db.find("events", {}, {.sort = make_document("_id", 1)})) {
    for (const Document& message : messages) {
      by_conversation[hex(message.view().bytes("conversation"))].push_back(message.view());
      by_id.emplace(hex(message.view().bytes("_id")), message.view());
    }
  }
  std::vector<Document> conversations;
  std::vector<Document> members;
  std::vector<Document> messages;
  std::vector<Document> versions;
  std::vector<Document> reactions;
  std::vector<Document> events;
  std::map<std::string, std::vector<View>> by_conversation;
  std::map<std::string, View> by_id;
};

class Checker {
 public:
  explicit Checker(mongo::Database& db) : all_(db) {}

  std::vector<std::string> run() {
    for (const Document& conversation : all_.conversations) check_conversation(conversation.view());
    for (const Document& member : all_.members) check_unread(member.view());
    for (const Document& message : all_.messages) check_message(message.view());
    check_events();
    return std::move(problems_);
  }

 private:
  void expect(bool well, const std::string& what, const std::string& where) {
    if (!well) problems_.push_back(what + ": " + where);
  }

  void check_conversation(View conversation) {
    const std::string id = hex(conversation.bytes("_id"));
    const auto& messages = all_.by_conversation[id];
    std::int64_t live = 0;
    Seq seq = 0;
    for (const View message : messages) {
      expect(message.integer("seq") == ++seq, "seqs are not dense", id);
      if (!message.has("deleted_at")) ++live;
    }
    expect(conversation.integer("last_seq") == seq, "seqs are miscounted", id);
    expect(conversation.integer("live") == live, "live messages are miscounted", id);
    std::int64_t members = 0;
    std::int64_t owners = 0;
    for (const Document& member : all_.members) {
      if (hex(member.view().bytes("conversation")) != id) continue;
      ++members;
      owners += member.view().text("role") == "owner" ? 1 : 0;
      expect(member.view().text("tenant") == conversation.text("tenant"), "a member of another tenant", id);
    }
    expect(conversation.integer("member_count") == members, "members are miscounted", id);
    expect(conversation.integer("owner_count") == owners, "owners are miscounted", id);
    std::int64_t number = 0;
    for (const Document& event : all_.events) {
      if (event.view().text("tenant") != conversation.text("tenant") || event.view().integer("scope") != 0 ||
          event.view().text("key") != conversation.text("id")) {
        continue;
      }
      expect(event.view().integer("number") == ++number, "event numbers are not dense", id);
    }
    expect(conversation.integer("event_number") == number, "events are miscounted", id);
  }

  void check_unread(View member) {
    const std::string id = hex(member.bytes("conversation"));
    std::int64_t accounted = 0;
    for (const View message : all_.by_conversation[id]) {
      if (message.has("deleted_at")) continue;
      const bool own = message.text("sender_id") == member.text("user");
      if (own || message.integer("seq") <= member.integer("read_seq")) ++accounted;
    }
    expect(member.integer("accounted") == accounted, "unread is miscounted",
           id + " " + std::string(member.text("user")));
  }

  void check_message(View message) {
    const std::string id = hex(message.bytes("_id"));
    const bool deleted = message.has("deleted_at");
    expect(deleted != message.has("content"), "a tombstone with content, or a message without", id);
    if (deleted) {
      for (const char* field : {"attachments", "files", "mentions", "metadata", "client_message_id", "reactions"}) {
        expect(!message.has(field), std::string("a tombstone has ") + field, id);
      }
    }
    std::int64_t replies = 0;
    for (const Document& other : all_.messages) {
      if (!other.view().has("thread_root") || hex(other.view().bytes("thread_root")) != id) continue;
      if (!other.view().has("deleted_at")) ++replies;
      expect(hex(other.view().bytes("conversation")) == hex(message.bytes("conversation")), "a thread leaves its talk",
             id);
    }
    if (!is_erased(message)) expect(message.integer("reply_count") == replies, "replies are miscounted", id);
    const auto versions = std::ranges::count_if(
        all_.versions, [&](const Document& version) { return hex(version.view().bytes("message")) == id; });
    expect(versions == (deleted ? 0 : message.integer("version") - 1), "versions are not dense", id);
    check_files(message, id);
    check_reactions(message, id);
  }

  bool is_erased(View message) const {
    return std::ranges::any_of(all_.conversations, [&](const Document& conversation) {
      return conversation.view().has("deleted_at") &&
             hex(conversation.view().bytes("_id")) == hex(message.bytes("conversation"));
    });
  }

  void check_files(View message, const std::string& id) {
    std::vector<std::string_view> files;
    for (const View file : message.documents("files")) files.push_back(mongodb::id_of_tenant_key(file.text("key")));
    expect(files == message.texts("attachments"), "files and attachments differ", id);
  }

  void check_reactions(View message, const std::string& id) {
    std::map<std::string, std::vector<std::pair<std::int64_t, std::string>>> given;
    for (const Document& reaction : all_.reactions) {
      if (hex(reaction.view().bytes("message")) != id) continue;
      given[std::string(reaction.view().text("reaction"))].emplace_back(reaction.view().integer("place"),
                                                                        reaction.view().text("user"));
    }
    expect(given.size() == message.count("reactions"), "reactions are miscounted", id);
    for (const View shown : message.documents("reactions")) {
      auto& users = given[std::string(shown.text("reaction"))];
      std::ranges::sort(users);
      expect(shown.integer("count") == static_cast<std::int64_t>(users.size()), "a reaction is miscounted", id);
      expect(!users.empty() && shown.integer("since") == users.front().first, "a reaction is out of place", id);
      const auto first = shown.texts("users");
      expect(first.size() == std::min(users.size(), kReactionUsersShown), "too few users of a reaction", id);
      for (std::size_t i = 0; i < std::min(first.size(), users.size()); ++i) {
        expect(first[i] == users[i].second, "users of a reaction are out of order", id);
      }
    }
  }

  void check_events() {
    std::int64_t number = all_.events.empty() ? 0 : all_.events.front().view().integer("_id") - 1;
    for (const Document& event : all_.events) {
      ++number;
      expect(event.view().integer("_id") == number, "numbers of the log are not dense", std::to_string(number));
      if (event.view().has("ref")) {
        expect(all_.by_id.contains(hex(event.view().bytes("ref"))), "an event of no message", std::to_string(number));
      }
    }
  }

  Everything all_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> find_mongo_problems(mongo::Database& database) {
  return Checker(database).run();
}

}  // namespace parley::messaging::testing
