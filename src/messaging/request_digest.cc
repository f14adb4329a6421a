#include "messaging/request_digest.h"

#include <boost/json.hpp>
#include <cstring>
#include <string>

#include "base/json_writer.h"
#include "base/sha256.h"

namespace parley::messaging {

namespace {

// Fields one after the other, each with its length, so that no two lists of fields look alike.
class Fields {
 public:
  Fields& add(std::string_view text) {
    const auto size = static_cast<std::uint64_t>(text.size());
    bytes_.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes_ += text;
    return *this;
  }
  Fields& add(const std::optional<std::string>& text) { return text ? add("1").add(*text) : add("0"); }
  Fields& add(const std::string& text) { return add(std::string_view(text)); }
  Fields& add(const char* text) { return add(std::string_view(text)); }
  template <class Tag>
  Fields& add(const std::optional<Id<Tag>>& id) {
    return id ? add("1").add(id->value) : add("0");
  }
  template <class Tag>
  Fields& add(const std::vector<Id<Tag>>& ids) {
    add(std::to_string(ids.size()));
    for (const auto& id : ids) add(id.value);
    return *this;
  }
  Digest digest() const {
    const Sha256 whole = sha256(bytes_);
    Digest digest;
    std::memcpy(digest.data(), whole.data(), digest.size());
    return digest;
  }

 private:
  std::string bytes_;
};

std::string canonical(std::string_view metadata) {
  if (metadata == "{}") return "{}";
  boost::json::error_code error;
  const auto value = boost::json::parse({metadata.data(), metadata.size()}, error);
  return error ? std::string(metadata) : canonical_json(value);
}

}  // namespace

Digest idempotency_scope(const Caller& caller, std::string_view route, std::string_view key) {
  return Fields().add("key").add(caller.tenant.value).add(caller.user.value).add(route).add(key).digest();
}

Digest client_message_scope(const Caller& caller, const ConversationId& conversation, std::string_view key) {
  return Fields()
      .add("client_message_id")
      .add(caller.tenant.value)
      .add(caller.user.value)
      .add(conversation.value)
      .add(key)
      .digest();
}

Digest request_digest(const SendMessage& command) {
  return Fields()
      .add(command.conversation_id.value)
      .add(command.content)
      .add(command.type)
      .add(command.attachments)
      .add(command.reply_to)
      .add(command.mentions)
      .add(canonical(command.metadata))
      .add(command.client_message_id)
      .digest();
}

Digest request_digest(const CreateConversation& command) {
  return Fields()
      .add(command.id)
      .add(to_string(command.kind))
      .add(command.name)
      .add(command.topic)
      .add(canonical(command.metadata))
      .add(command.members)
      .add(command.imported ? "1" : "0")
      .digest();
}

bool same_metadata(std::string_view a, std::string_view b) {
  return a == b || canonical(a) == canonical(b);
}

}  // namespace parley::messaging
