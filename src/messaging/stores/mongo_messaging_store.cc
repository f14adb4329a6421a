#include "messaging/stores/mongo_messaging_store.h"

#include "events/mongo_move_mark.h"
#include "events/mongo_relay_lease.h"
#include "messaging/stores/mongo_event_payload.h"
#include "messaging/stores/mongo_reads.h"
#include "messaging/stores/mongo_writes.h"
#include "telemetry/log.h"

namespace parley::messaging {

namespace {

constexpr std::int64_t kFilesForgottenAtOnce = 100;  // messages, so that senders do not wait
constexpr std::size_t kOtherConnections = 3;      // the look for others' events, the register of sessions, and start-up
constexpr std::chrono::seconds kPrepareTime{60};  // indexes of a large database take their time, once

}  // namespace

Result<std::unique_ptr<MongoMessagingStore>> MongoMessagingStore::open(Options options, const Clock& clock,
                                                                       Random& random) {
  options.connection.size = options.reader_threads + options.writer_lanes + kOtherConnections;
  auto pool = mongo::ClientPool::open(options.connection, clock);
  if (!pool) return fail(std::move(pool.error()));
  if (auto well = (*pool)->check_server(); !well) return fail(std::move(well.error()));
  events::PositionCodec::Secret secret{};
  const events::MongoEventCollections collections("");
  Result<> not_being_filled;
  auto prepared = mongo::with_database(**pool, clock.steady_now() + kPrepareTime, [&](mongo::Database& db) {
    mongodb::prepare_messaging(db);
    events::prepare_events(db, collections);
    secret = events::load_position_secret(db, collections, random);
    not_being_filled = events::expect_no_move(db, collections);
  });
  if (!prepared) return fail(std::move(prepared.error()));
  if (!not_being_filled) return fail(std::move(not_being_filled.error()));
  return std::unique_ptr<MongoMessagingStore>(
      new MongoMessagingStore(std::move(*pool), secret, options, clock, random));
}

MongoMessagingStore::MongoMessagingStore(std::unique_ptr<mongo::ClientPool> pool,
                                         const events::PositionCodec::Secret& secret, const Options& options,
                                         const Clock& clock, Random& random)
    : pool_(std::move(pool)),
      clock_(clock),
      max_members_(options.max_members),
      positions_(secret),
      ids_(random),
      readers_(*pool_, {.thread_name = "messaging-read",
                        .threads = options.reader_threads,
                        .queue_limit = options.reader_queue_limit}),
      writer_(*pool_, {.thread_name = "messaging-write",
                       .lanes = options.writer_lanes,
                       .batch_limit = options.batch_limit,
                       .queue_limit = options.writer_queue_limit,
                       .observer = options.observer,
                       .make_companion =
                           [this] { return std::make_unique<events::MongoEventAppender>(collections_, signal_); }}),
      log_(*pool_, readers_, signal_, collections_, mongodb::resolve_message_events, positions_, options.log) {}

MongoMessagingStore::~MongoMessagingStore() = default;

std::unique_ptr<events::RelayLease> MongoMessagingStore::make_relay_lease(std::string holder) {
  return std::make_unique<events::MongoRelayLease>(readers_, collections_, std::move(holder), clock_);
}

template <class T, class Command>
Task<Result<Written<T>>> MongoMessagingStore::write(Caller caller, std::string lane, Command command,
                                                    SteadyTime deadline,
                                                    Result<mongodb::Committed<T>> (*act)(mongodb::WriteContext&,
                                                                                         const Command&)) {
  const TenantId tenant = caller.tenant;
  auto done = co_await writer_.run<mongodb::Committed<T>>(
      lane, deadline, [this, by = std::move(caller), command = std::move(command), act](mongo::GroupTransaction& tx) {
        mongodb::WriteContext context(tx, by, clock_.wall_now(), ids_, max_members_);
        return act(context, command);
      });
  if (!done) co_return fail(std::move(done.error()));
  co_return Written<T>{std::move(done->value), done->changed, positions_.encode(tenant, done->ticket.offset())};
}

template <class T, class Command>
Task<Result<Written<T>>> MongoMessagingStore::write_to(Caller caller, ConversationId conversation, Command command,
                                                       SteadyTime deadline,
                                                       Result<mongodb::Committed<T>> (*act)(mongodb::WriteContext&,
                                                                                            const Command&)) {
  std::string lane(mongodb::lane_of(mongodb::conversation_key(caller.tenant, conversation)));
  return write(std::move(caller), std::move(lane), std::move(command), deadline, act);
}

namespace {

// Which conversation a message is in, before the job runs; a message never changes it.
Result<std::string> find_lane(mongo::Database& db, const MessageId& id) {
  const auto bytes = parse_uuid(id.value);
  if (!bytes) return not_found("message");
  const auto row = db.find_one(mongodb::collection::kMessages, mongo::make_document("_id", mongo::Uuid{*bytes}),
                               {.sort = {}, .fields = mongo::make_document("conversation", 1)});
  if (!row) return not_found("message");
  return std::string(mongodb::lane_of(mongodb::uuid_of(row->view().bytes("conversation"))));
}

}  // namespace

template <class T, class Command>
Task<Result<Written<T>>> MongoMessagingStore::write_of_message(
    Caller caller, Command command, SteadyTime deadline,
    Result<mongodb::Committed<T>> (*act)(mongodb::WriteContext&, const Command&)) {
  auto lane = co_await readers_.look<std::string>(
      deadline, [id = command.message_id](mongo::Database& db) { return find_lane(db, id); });
  if (!lane) co_return fail(std::move(lane.error()));
  co_return co_await write(std::move(caller), std::move(*lane), std::move(command), deadline, act);
}

template <class T, class Query>
Task<Result<T>> MongoMessagingStore::read(Caller caller, Query query, SteadyTime deadline,
                                          Result<T> (*answer)(mongo::Database&, const Caller&, const Query&)) {
  return readers_.run<T>(deadline, [by = std::move(caller), query = std::move(query), answer](mongo::Database& db) {
    return answer(db, by, query);
  });
}

Task<Result<Written<Message>>> MongoMessagingStore::send_message(Caller caller, SendMessage command,
                                                                 SteadyTime deadline) {
  ConversationId conversation = command.conversation_id;
  PreparedSend send(caller, std::move(command));
  return write_to(std::move(caller), std::move(conversation), std::move(send), deadline, mongodb::send_message);
}

// The rest only names which function does it.
using Store = MongoMessagingStore;

Task<Result<Written<Message>>> Store::edit_message(Caller caller, EditMessage command, SteadyTime deadline) {
  return write_of_message(std::move(caller), std::move(command), deadline, mongodb::edit_message);
}
Task<Result<Written<Message>>> Store::delete_message(Caller caller, DeleteMessage command, SteadyTime deadline) {
  return write_of_message(std::move(caller), std::move(command), deadline, mongodb::delete_message);
}
Task<Result<Message>> Store::get_message(Caller caller, MessageId message_id, SteadyTime deadline) {
  return read(std::move(caller), std::move(message_id), deadline, mongodb::get_message);
}
Task<Result<MessagePage>> Store::list_messages(Caller caller, ListMessages query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, mongodb::list_messages);
}
Task<Result<MessagePage>> Store::messages_around(Caller caller, MessagesAround query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, mongodb::messages_around);
}
Task<Result<MessagePage>> Store::list_replies(Caller caller, ListReplies query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, mongodb::list_replies);
}
Task<Result<Page<MessageVersion>>> Store::list_versions(Caller caller, ListVersions query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, mongodb::list_versions);
}
Task<Result<Written<ReactionSummary>>> Store::add_reaction(Caller caller, React command, SteadyTime deadline) {
  return write_of_message(std::move(caller), std::move(command), deadline, mongodb::add_reaction);
}
Task<Result<Written<ReactionSummary>>> Store::remove_reaction(Caller caller, React command, SteadyTime deadline) {
  return write_of_message(std::move(caller), std::move(command), deadline, mongodb::remove_reaction);
}

namespace {

// Requests that could make the same conversation wait for each other.
std::string lane_of(const Caller& caller, const CreateConversation& command) {
  if (command.kind == ConversationKind::kDirect) {
    return mongodb::tenant_key(caller.tenant, pair_key(caller.user, command.members.front()));
  }
  if (command.id) return std::string(mongodb::lane_of(mongodb::conversation_key(caller.tenant, *command.id)));
  return mongodb::tenant_key(caller.tenant, caller.user.value);
}

}  // namespace

Task<Result<Written<Conversation>>> Store::create_conversation(Caller caller, CreateConversation command,
                                                               SteadyTime deadline) {
  std::string lane = lane_of(caller, command);
  return write(std::move(caller), std::move(lane), std::move(command), deadline, mongodb::create_conversation);
}
Task<Result<Conversation>> Store::get_conversation(Caller caller, ConversationId conversation_id, SteadyTime deadline) {
  return read(std::move(caller), std::move(conversation_id), deadline, mongodb::get_conversation);
}
Task<Result<Page<Conversation>>> Store::list_conversations(Caller caller, ListConversations query,
                                                           SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, mongodb::list_conversations);
}
Task<Result<Written<Conversation>>> Store::update_conversation(Caller caller, UpdateConversation command,
                                                               SteadyTime deadline) {
  ConversationId conversation = command.conversation_id;
  return write_to(std::move(caller), std::move(conversation), std::move(command), deadline,
                  mongodb::update_conversation);
}
Task<Result<Written<Nothing>>> Store::delete_conversation(Caller caller, DeleteConversation command,
                                                          SteadyTime deadline) {
  ConversationId conversation = command.conversation_id;
  return write_to(std::move(caller), std::move(conversation), std::move(command), deadline,
                  mongodb::delete_conversation);
}

Task<Result<Written<Member>>> Store::add_member(Caller caller, AddMember command, SteadyTime deadline) {
  ConversationId conversation = command.conversation_id;
  return write_to(std::move(caller), std::move(conversation), std::move(command), deadline, mongodb::add_member);
}
Task<Result<Written<Nothing>>> Store::remove_member(Caller caller, RemoveMember command, SteadyTime deadline) {
  ConversationId conversation = command.conversation_id;
  return write_to(std::move(caller), std::move(conversation), std::move(command), deadline, mongodb::remove_member);
}
Task<Result<Written<Member>>> Store::set_member_role(Caller caller, SetMemberRole command, SteadyTime deadline) {
  ConversationId conversation = command.conversation_id;
  return write_to(std::move(caller), std::move(conversation), std::move(command), deadline, mongodb::set_member_role);
}
Task<Result<Page<Member>>> Store::list_members(Caller caller, ListMembers query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, mongodb::list_members);
}
Task<Result<Written<ReadState>>> Store::set_read_mark(Caller caller, SetReadMark command, SteadyTime deadline) {
  ConversationId conversation = command.conversation_id;
  return write_to(std::move(caller), std::move(conversation), std::move(command), deadline, mongodb::set_read_mark);
}

Task<Result<Written<User>>> Store::see_user(Caller caller, SteadyTime deadline) {
  // Nearly always there: look before queueing a write.
  auto present = co_await get_user(caller, caller.user, deadline);
  if (present) {
    auto head = co_await log_.head(deadline);
    if (!head) co_return fail(std::move(head.error()));
    co_return Written<User>{std::move(*present), false, positions_.encode(caller.tenant, *head)};
  }
  if (present.error().kind != ErrorKind::kNotFound) co_return fail(std::move(present.error()));
  std::string lane = mongodb::tenant_key(caller.tenant, caller.user.value);
  co_return co_await write(std::move(caller), std::move(lane), Nothing{}, deadline, mongodb::see_user);
}
Task<Result<Written<User>>> Store::update_user(Caller caller, UpdateUser command, SteadyTime deadline) {
  std::string lane = mongodb::tenant_key(caller.tenant, caller.user.value);
  return write(std::move(caller), std::move(lane), std::move(command), deadline, mongodb::update_user);
}
Task<Result<User>> Store::get_user(Caller caller, UserId user_id, SteadyTime deadline) {
  return read(std::move(caller), std::move(user_id), deadline, mongodb::get_user);
}

Task<Result<Page<ConversationId>>> Store::get_scope(Caller caller, std::size_t limit, SteadyTime deadline) {
  return read(std::move(caller), limit, deadline, mongodb::get_scope);
}
Task<Result<LookedUp>> Store::look_up(Caller caller, LookUp query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, mongodb::look_up);
}
Task<Result<bool>> Store::may_read_file(Caller caller, FileId file, SteadyTime deadline) {
  return read(std::move(caller), std::move(file), deadline, mongodb::may_read_file);
}
Task<Result<std::int64_t>> Store::forget_files(TenantId tenant, std::vector<FileId> files, SteadyTime deadline) {
  const Caller media{.tenant = std::move(tenant), .user = {}, .roles = {}, .name = {}};
  std::int64_t messages = 0;
  for (const FileId& file : files) {
    for (bool more = true; more;) {
      mongodb::ForgetFile part{file, kFilesForgottenAtOnce};
      auto done = co_await write(media, mongodb::tenant_key(media.tenant, file.value), std::move(part), deadline,
                                 mongodb::forget_file);
      if (!done) co_return fail(std::move(done.error()));
      messages += done->value;
      more = done->value == kFilesForgottenAtOnce;
    }
  }
  auto dropped = co_await readers_.look<Nothing>(deadline, [this](mongo::Database& db) -> Result<Nothing> {
    mongodb::drop_old_deleted_files(db, clock_.wall_now());
    return Nothing{};
  });
  if (!dropped) co_return fail(std::move(dropped.error()));
  co_return messages;
}

Task<Result<Written<ImportSummary>>> Store::import_messages(Caller caller, ImportMessages command,
                                                            SteadyTime deadline) {
  ConversationId conversation = command.conversation_id;
  return write_to(std::move(caller), std::move(conversation), std::move(command), deadline, mongodb::import_messages);
}

Task<Result<>> Store::ping(SteadyTime deadline) {
  auto head = co_await log_.head(deadline);
  if (!head) co_return fail(std::move(head.error()));
  co_return Result<>{};
}

Task<Result<Page<TenantId>>> Store::scan_tenants(std::optional<TenantId> after, std::size_t limit,
                                                 SteadyTime deadline) {
  return readers_.run<Page<TenantId>>(deadline, [after = std::move(after), limit](mongo::Database& db) {
    return mongodb::scan_tenants(db, after, limit);
  });
}
Task<Result<Page<ScannedConversation>>> Store::scan_conversations(TenantId tenant, std::optional<ConversationId> after,
                                                                  std::size_t limit, SteadyTime deadline) {
  return readers_.run<Page<ScannedConversation>>(
      deadline, [tenant = std::move(tenant), after = std::move(after), limit](mongo::Database& db) {
        return mongodb::scan_conversations(db, tenant, after, limit);
      });
}
Task<Result<Page<Message>>> Store::scan_messages(TenantId tenant, ConversationId conversation, Seq after,
                                                 std::size_t limit, SteadyTime deadline) {
  return readers_.run<Page<Message>>(
      deadline, [tenant = std::move(tenant), id = std::move(conversation), after, limit](mongo::Database& db) {
        return mongodb::scan_messages(db, tenant, id, after, limit);
      });
}
Task<Result<Page<User>>> Store::scan_users(TenantId tenant, std::optional<UserId> after, std::size_t limit,
                                           SteadyTime deadline) {
  return readers_.run<Page<User>>(deadline,
                                  [tenant = std::move(tenant), after = std::move(after), limit](mongo::Database& db) {
                                    return mongodb::scan_users(db, tenant, after, limit);
                                  });
}

Task<Result<std::int64_t>> Store::erase_deleted(std::int64_t limit, SteadyTime deadline) {
  return writer_.run<std::int64_t>("erase", deadline, [limit](mongo::GroupTransaction& tx) -> Result<std::int64_t> {
    return mongodb::erase_deleted(tx, limit);
  });
}

}  // namespace parley::messaging
