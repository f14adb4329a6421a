#include "messaging/testing/store_transfer_contract.h"

#include "base/check.h"

namespace parley::messaging::testing {

namespace {

ListMessages list_of(const char* conversation) {
  ListMessages query;
  query.conversation_id = ConversationId(conversation);
  return query;
}

}  // namespace

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace transfer;  // NOLINT(google-build-using-namespace): the port under test

StoreTransferContract::~StoreTransferContract() {
  from_.reset();
  to_.reset();
  loops_.stop();
}

void StoreTransferContract::SetUp() {
  from_ = GetParam().from(clock_, random_);
  to_ = GetParam().to(clock_, random_);
  if (!from_ || !to_) GTEST_SKIP() << "an engine of this pair is not at hand";
}

Caller StoreTransferContract::user(const char* id, const char* tenant) {
  return {.tenant = TenantId(tenant), .user = UserId(id), .roles = {}, .name = id};
}

void StoreTransferContract::group(MoveSide& side, const char* id, std::vector<const char*> members) {
  CreateConversation command;
  command.id = ConversationId(id);
  command.name = std::string("Group ") + id;
  for (const char* member : members) command.members.emplace_back(member);
  command.idempotency_key = std::string("make ") + id;
  ASSERT_TRUE(wait(side.store().create_conversation(user("u1"), command, kNoHurry)));
}

Conversation StoreTransferContract::direct(MoveSide& side, const char* caller, const char* other) {
  CreateConversation command;
  command.kind = ConversationKind::kDirect;
  command.members.emplace_back(other);
  auto made = wait(side.store().create_conversation(user(caller), command, kNoHurry));
  CHECK(made.has_value());
  return made->value;
}

Message StoreTransferContract::say(MoveSide& side, const char* who, const char* conversation, std::string content,
                                   const char* key, std::optional<MessageId> reply_to, std::vector<FileId> files) {
  clock_.advance(std::chrono::milliseconds(7));
  SendMessage command;
  command.conversation_id = ConversationId(conversation);
  command.content = std::move(content);
  command.reply_to = std::move(reply_to);
  if (key) command.idempotency_key = key;
  for (const FileId& file : files) {
    command.attachments.push_back(file);
    command.files.push_back({file, file.value + ".png", 123, "image/png"});
  }
  auto sent = wait(side.store().send_message(user(who), command, kNoHurry));
  CHECK(sent.has_value());
  return sent->value;
}

void StoreTransferContract::edit(MoveSide& side, const Message& message, std::string content) {
  clock_.advance(std::chrono::milliseconds(3));
  EditMessage command;
  command.message_id = message.id;
  command.content = std::move(content);
  ASSERT_TRUE(wait(side.store().edit_message(user(message.sender_id.value.c_str()), command, kNoHurry)));
}

void StoreTransferContract::remove(MoveSide& side, const Message& message) {
  DeleteMessage command;
  command.message_id = message.id;
  ASSERT_TRUE(wait(side.store().delete_message(user(message.sender_id.value.c_str()), command, kNoHurry)));
}

void StoreTransferContract::react(MoveSide& side, const char* who, const Message& message, const char* reaction) {
  React command;
  command.message_id = message.id;
  command.reaction = reaction;
  ASSERT_TRUE(wait(side.store().add_reaction(user(who), command, kNoHurry)));
}

void StoreTransferContract::drop(MoveSide& side, const char* conversation) {
  DeleteConversation command;
  command.conversation_id = ConversationId(conversation);
  ASSERT_TRUE(wait(side.store().delete_conversation(user("u1"), command, kNoHurry)));
}

void StoreTransferContract::read(MoveSide& side, const char* who, const char* conversation, Seq seq) {
  SetReadMark command;
  command.conversation_id = ConversationId(conversation);
  command.seq = seq;
  ASSERT_TRUE(wait(side.store().set_read_mark(user(who), command, kNoHurry)));
}

void StoreTransferContract::fill(MoveSide& side) {
  ASSERT_TRUE(wait(side.store().see_user(user("u1"), kNoHurry)));
  ASSERT_TRUE(wait(side.store().see_user(user("u2"), kNoHurry)));
  ASSERT_TRUE(wait(side.store().see_user(user("u1", "other"), kNoHurry)));
  UpdateUser profile;
  profile.name = "Ümit";
  profile.metadata = R"({"team":"blue"})";
  ASSERT_TRUE(wait(side.store().update_user(user("u2"), profile, kNoHurry)));

  group(side, "talk", {"u2", "u3"});
  const Message first = say(side, "u1", "talk", "first", "key-1");
  const Message reply = say(side, "u2", "talk", "a reply", nullptr, first.id);
  say(side, "u3", "talk", "another reply", nullptr, reply.id);
  edit(side, first, "first, better");
  edit(side, first, "first, best");
  remove(side, reply);
  react(side, "u2", first, "👍");
  react(side, "u3", first, "👍");
  react(side, "u3", first, "🎉");
  react(side, "u1", first, "👀");
  say(side, "u1", "talk", "look", nullptr, {}, {FileId("f1"), FileId("f2")});
  ASSERT_TRUE(wait(side.store().forget_files(TenantId("acme"), {FileId("f2")}, kNoHurry)));
  read(side, "u2", "talk", 1);
  direct(side, "u1", "u2");

  group(side, "gone", {"u2"});
  say(side, "u1", "gone", "nobody reads this again");
  drop(side, "gone");

  CreateConversation imported;
  imported.id = ConversationId("irc");
  imported.imported = true;
  Caller importer = user("importer");
  importer.roles.service = true;
  ASSERT_TRUE(wait(side.store().create_conversation(importer, imported, kNoHurry)));
  ImportMessages batch;
  batch.conversation_id = ConversationId("irc");
  for (int i = 0; i < 3; ++i) {
    ImportedMessage line;
    line.line = i + 1;
    line.external_id = "line-" + std::to_string(i);
    line.author = UserId("nick");
    line.content = "said in " + std::to_string(2000 + i);
    line.created_at = WallTime(std::chrono::milliseconds(1'000'000 + i));
    batch.messages.push_back(std::move(line));
  }
  ASSERT_TRUE(wait(side.store().import_messages(importer, batch, kNoHurry)));
}

events::LogOffset StoreTransferContract::head(MoveSide& side) {
  const auto head = wait(side.log().head(kNoHurry));
  CHECK(head.has_value());
  return *head;
}

CopyCounts StoreTransferContract::copied(MoveSide& from, MoveSide& to) {
  const auto source = from.source();
  const auto target = to.target();
  const auto claimed = claim(*source, *target);
  EXPECT_TRUE(claimed) << claimed.error().detail;
  const auto counts = copy(*source, *target, [](const CopyCounts&) {});
  EXPECT_TRUE(counts) << counts.error().detail;
  return counts.value_or(CopyCounts{});
}

Comparison StoreTransferContract::compared(MoveSide& from, MoveSide& to) {
  const auto source = from.source();
  const auto target = to.target();
  const auto comparison = compare(*source, *target, [](const StoreTotals&) {});
  CHECK(comparison.has_value());
  return *comparison;
}

void StoreTransferContract::finish(MoveSide& from, MoveSide& to) {
  const auto last = from.source()->last_event();
  ASSERT_TRUE(last);
  ASSERT_TRUE(to.target()->finish(*last));
}

TEST_P(StoreTransferContract, WhatWasMovedIsTheSameByChecksum) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  from_->stop();
  const auto counts = copied(*from_, *to_);
  EXPECT_EQ(counts.changed_conversations, 4);
  const auto comparison = compared(*from_, *to_);
  EXPECT_THAT(comparison.differences, IsEmpty());
  EXPECT_TRUE(comparison.equal());
  EXPECT_EQ(comparison.target.conversations, 4);
  EXPECT_EQ(comparison.target.messages, 8);
  EXPECT_EQ(comparison.target.versions, 2);
  EXPECT_EQ(comparison.target.reactions, 4);
  EXPECT_EQ(comparison.target.users, 3);
  EXPECT_GE(comparison.target.requests, 3);
}

TEST_P(StoreTransferContract, TheTargetServesOnWhereTheSourceStopped) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  const auto end = head(*from_);
  const auto shown = wait(from_->store().list_messages(user("u2"), list_of("talk"), kNoHurry));
  const auto again = say(*from_, "u1", "talk", "first", "key-1");
  const std::string position = from_->log().position_of(TenantId("acme"), end);
  from_->stop();
  copied(*from_, *to_);
  finish(*from_, *to_);

  ASSERT_TRUE(to_->serve());
  EXPECT_EQ(head(*to_), end);
  EXPECT_EQ(to_->log().offset_of(TenantId("acme"), position), end);
  const auto seen = wait(to_->store().list_messages(user("u2"), list_of("talk"), kNoHurry));
  ASSERT_TRUE(shown && seen);
  ASSERT_EQ(seen->items.size(), shown->items.size());
  for (std::size_t i = 0; i < seen->items.size(); ++i) {
    EXPECT_EQ(seen->items[i].id, shown->items[i].id);
    EXPECT_EQ(seen->items[i].content, shown->items[i].content);
    EXPECT_EQ(seen->items[i].reply_count, shown->items[i].reply_count);
    ASSERT_EQ(seen->items[i].reactions.size(), shown->items[i].reactions.size());
    for (std::size_t j = 0; j < seen->items[i].reactions.size(); ++j) {
      EXPECT_EQ(seen->items[i].reactions[j].reaction, shown->items[i].reactions[j].reaction);
      EXPECT_EQ(seen->items[i].reactions[j].users, shown->items[i].reactions[j].users);
    }
  }
  EXPECT_EQ(say(*to_, "u1", "talk", "first", "key-1").id, again.id);
  EXPECT_EQ(say(*to_, "u1", "talk", "new").seq, 5);
  EXPECT_GT(head(*to_), end);
  const auto tail = wait(to_->log().tail(kNoHurry));
  EXPECT_EQ(tail->value, end.value - 1);
  EXPECT_EQ(direct(*to_, "u2", "u1").member_count, 2);
  EXPECT_THAT(to_->problems(loops_.at(0)), IsEmpty());
}

TEST_P(StoreTransferContract, ALaterPassCopiesOnlyWhatChanged) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  const Conversation pair = direct(*from_, "u2", "u3");
  copied(*from_, *to_);
  const Message more = say(*from_, "u2", "talk", "more", "key-2");
  const auto listed = wait(from_->store().list_messages(user("u1"), list_of("talk"), kNoHurry));
  remove(*from_, listed->items.back());
  RemoveMember leave;
  leave.conversation_id = ConversationId("talk");
  leave.user_id = UserId("u3");
  ASSERT_TRUE(wait(from_->store().remove_member(user("u1"), leave, kNoHurry)));
  group(*from_, "new");
  DeleteConversation gone;
  gone.conversation_id = pair.id;
  Caller admin = user("boss");
  admin.roles.admin = true;
  ASSERT_TRUE(wait(from_->store().delete_conversation(admin, gone, kNoHurry)).has_value());
  direct(*from_, "u3", "u2");
  ASSERT_TRUE(wait(from_->erase_deleted(1)));
  from_->stop();
  const auto counts = copied(*from_, *to_);
  EXPECT_EQ(counts.users, 0);
  EXPECT_LE(counts.changed_conversations, 5);  // talk, new, both pairs, and one that is being erased
  EXPECT_LE(counts.messages, 4);
  EXPECT_THAT(compared(*from_, *to_).differences, IsEmpty());
  EXPECT_EQ(copied(*from_, *to_).messages, 0);
  finish(*from_, *to_);
  ASSERT_TRUE(to_->serve());
  EXPECT_EQ(say(*to_, "u2", "talk", "more", "key-2").id, more.id);
  while (wait(to_->erase_deleted(100)).value_or(0) > 0) {
  }
  EXPECT_THAT(to_->problems(loops_.at(0)), IsEmpty());
}

namespace {

// A target that is gone after so many puts, as one whose move is killed.
class DyingTarget final : public StoreWriter {
 public:
  DyingTarget(StoreWriter& target, int puts_left) : target_(target), left_(puts_left) {}
  Result<PositionSecret> position_secret() override { return target_.position_secret(); }
  Result<std::optional<LastEvent>> last_event() override { return target_.last_event(); }
  Result<std::vector<ConversationRecord>> conversations(const Range<ConversationName>& range) override {
    return target_.conversations(range);
  }
  Result<std::vector<MemberRecord>> members(const ConversationName& name) override { return target_.members(name); }
  Result<std::vector<MessageRecord>> messages(const ConversationName& name, const Range<Seq>& range) override {
    return target_.messages(name, range);
  }
  Result<std::vector<UserRecord>> users(const Range<UserName>& range) override { return target_.users(range); }
  Result<std::vector<DeletedFileRecord>> deleted_files(const Range<FileName>& range) override {
    return target_.deleted_files(range);
  }
  Result<std::vector<RequestRecord>> requests(const Range<Digest>& range) override { return target_.requests(range); }
  Result<std::optional<MoveMark>> mark() override { return target_.mark(); }
  Result<bool> is_empty() override { return target_.is_empty(); }
  Result<> begin(const MoveMark& mark, const PositionSecret& secret) override { return target_.begin(mark, secret); }
  Result<> put_conversation(const ConversationRecord& record, bool whole) override {
    return lives() ? target_.put_conversation(record, whole) : dead();
  }
  Result<> put_members(const ConversationName& name, std::span<const MemberRecord> members) override {
    return lives() ? target_.put_members(name, members) : dead();
  }
  Result<> remove_members(const ConversationName& name, std::span<const UserId> users) override {
    return target_.remove_members(name, users);
  }
  Result<> put_messages(const ConversationName& name, std::span<const MessageRecord> messages, bool replace) override {
    return lives() ? target_.put_messages(name, messages, replace) : dead();
  }
  Result<> put_users(std::span<const UserRecord> users) override { return lives() ? target_.put_users(users) : dead(); }
  Result<> put_deleted_files(std::span<const DeletedFileRecord> files) override {
    return target_.put_deleted_files(files);
  }
  Result<> remove_deleted_files(std::span<const DeletedFileRecord> files) override {
    return target_.remove_deleted_files(files);
  }
  Result<> put_requests(std::span<const RequestRecord> requests) override {
    return lives() ? target_.put_requests(requests) : dead();
  }
  Result<> finish(const std::optional<LastEvent>& last) override { return target_.finish(last); }

 private:
  bool lives() { return left_-- > 0; }
  static Result<> dead() { return unavailable("unavailable", "killed"); }
  StoreWriter& target_;
  int left_;
};

}  // namespace

TEST_P(StoreTransferContract, AMoveThatWasKilledAnywhereIsBegunAgainAndCompletes) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  from_->stop();
  int deaths = 0;
  for (int puts = 0;; ++puts) {
    const auto source = from_->source();
    const auto target = to_->target();
    ASSERT_TRUE(claim(*source, *target));
    DyingTarget dying(*target, puts);
    if (copy(*source, dying, [](const CopyCounts&) {})) break;
    ++deaths;
  }
  EXPECT_GE(deaths, 3);
  EXPECT_TRUE(compared(*from_, *to_).equal());
}

TEST_P(StoreTransferContract, ATargetIsClaimedForOneSourceUntilItIsFinished) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  from_->stop();
  copied(*from_, *to_);
  const auto served = to_->serve();
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, "move_unfinished");

  const auto other = GetParam().from(clock_, random_);
  ASSERT_TRUE(other->serve());
  group(*other, "else");
  other->stop();
  const auto refused = claim(*other->source(), *to_->target());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "target_in_use");

  finish(*from_, *to_);
  const auto again = claim(*from_->source(), *to_->target());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "already_moved");
  EXPECT_TRUE(compared(*from_, *to_).equal());
}

TEST_P(StoreTransferContract, AStoreThatIsInUseIsNoTarget) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  from_->stop();
  ASSERT_TRUE(to_->serve());
  group(*to_, "mine");
  to_->stop();
  const auto refused = claim(*from_->source(), *to_->target());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "target_in_use");
}

TEST_P(StoreTransferContract, AnEmptyStoreMovesToo) {
  ASSERT_TRUE(from_->serve());
  from_->stop();
  copied(*from_, *to_);
  EXPECT_TRUE(compared(*from_, *to_).equal());
  finish(*from_, *to_);
  ASSERT_TRUE(to_->serve());
  group(*to_, "first");
  EXPECT_EQ(say(*to_, "u1", "first", "hello").seq, 1);
}

TEST_P(StoreTransferContract, ThereAndBackIsTheSame) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  from_->stop();
  copied(*from_, *to_);
  const auto there = compared(*from_, *to_);
  finish(*from_, *to_);
  const auto third = GetParam().from(clock_, random_);
  copied(*to_, *third);
  const auto back = compared(*to_, *third);
  EXPECT_THAT(back.differences, IsEmpty());
  EXPECT_EQ(back.target.checksum.hex(), there.source.checksum.hex());
  finish(*to_, *third);
  ASSERT_TRUE(third->serve());
  EXPECT_EQ(say(*third, "u1", "talk", "new").seq, 5);
  EXPECT_THAT(third->problems(loops_.at(0)), IsEmpty());
}

TEST_P(StoreTransferContract, ADifferenceIsNamed) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  from_->stop();
  copied(*from_, *to_);
  const ConversationName talk{TenantId("acme"), ConversationId("talk")};
  {
    const auto target = to_->target();
    auto messages = target->messages(talk, {Seq{2}, Seq{3}, 0});
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 1u);
    messages->front().message.content = "not what was said";
    ASSERT_TRUE(target->put_messages(talk, *messages, true));
  }
  const auto comparison = compared(*from_, *to_);
  EXPECT_FALSE(comparison.equal());
  ASSERT_THAT(comparison.differences,
              ElementsAre(::testing::AllOf(HasSubstr("tenant acme, conversation talk"), HasSubstr("from seq 3"))));
}

}  // namespace parley::messaging::testing
