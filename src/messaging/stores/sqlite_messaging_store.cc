#include "messaging/stores/sqlite_messaging_store.h"

#include "events/sqlite_move_mark.h"
#include "messaging/stores/sqlite_event_payload.h"
#include "messaging/stores/sqlite_reads.h"
#include "messaging/stores/sqlite_schema.h"
#include "telemetry/log.h"

namespace parley::messaging {

namespace {

constexpr int kWriterCacheKib = 16 * 1024;
constexpr std::int64_t kFilesForgottenAtOnce = 100;  // messages, so that senders do not wait

}  // namespace

Result<std::unique_ptr<SqliteMessagingStore>> SqliteMessagingStore::open(Options options, const Clock& clock,
                                                                         Random& random) {
  auto folder = sqlite::LockedFolder::open(options.folder);
  if (!folder) return fail(folder.error());
  try {
    auto connection = std::make_unique<sqlite::Connection>(
        sqlite::ConnectionOptions{.file = options.folder / kMessagingDatabase, .cache_kib = kWriterCacheKib});
    if (auto migrated = sqlite::migrate(*connection, kMessagingApplicationId, messaging_migrations()); !migrated) {
      return fail(migrated.error());
    }
    if (auto ours = events::expect_no_move(*connection); !ours) return fail(ours.error());
    const auto secret = events::load_position_secret(*connection);
    return std::unique_ptr<SqliteMessagingStore>(
        new SqliteMessagingStore(std::move(*folder), std::move(connection), secret, options, clock, random));
  } catch (const sqlite::Failure& failure) {
    log_error("the messaging store cannot be opened", {{"folder", options.folder.string()}, {"error", failure.what()}});
    return fail(sqlite::to_error(failure));
  }
}

SqliteMessagingStore::SqliteMessagingStore(sqlite::LockedFolder folder, std::unique_ptr<sqlite::Connection> connection,
                                           const events::PositionCodec::Secret& secret, const Options& options,
                                           const Clock& clock, Random& random)
    : folder_(std::move(folder)),
      clock_(clock),
      max_members_(options.max_members),
      positions_(secret),
      ids_(random),
      readers_({.file = options.folder / kMessagingDatabase,
                .thread_name = "messaging-read",
                .threads = options.reader_threads,
                .queue_limit = options.reader_queue_limit},
               clock),
      writer_(std::move(connection),
              {.file = options.folder / kMessagingDatabase,
               .thread_name = "messaging-write",
               .batch_limit = options.batch_limit,
               .queue_limit = options.writer_queue_limit,
               .cache_kib = kWriterCacheKib,
               .truncate_wal_bytes = static_cast<std::int64_t>(options.max_wal_bytes),
               .observer = options.observer,
               .after_commit = [this] { signal_.notify(); },
               .after_rollback = {}},
              clock),
      log_(writer_, readers_, signal_, resolve_message_event, positions_) {}

template <class T, class Command>
Task<Result<Written<T>>> SqliteMessagingStore::write(Caller caller, Command command, SteadyTime deadline,
                                                     Result<Committed<T>> (*act)(WriteContext&, const Command&)) {
  const TenantId tenant = caller.tenant;
  auto done = co_await writer_.run<Committed<T>>(
      deadline, [this, by = std::move(caller), command = std::move(command), act](sqlite::Connection& db) {
        WriteContext context(db, by, clock_.wall_now(), ids_, max_members_);
        return act(context, command);
      });
  if (!done) co_return fail(std::move(done.error()));
  co_return Written<T>{std::move(done->value), done->changed, positions_.encode(tenant, done->offset)};
}

template <class T, class Query>
Task<Result<T>> SqliteMessagingStore::read(Caller caller, Query query, SteadyTime deadline,
                                           Result<T> (*answer)(sqlite::Connection&, const Caller&, const Query&)) {
  return readers_.run<T>(deadline, [by = std::move(caller), query = std::move(query), answer](sqlite::Connection& db) {
    return answer(db, by, query);
  });
}

Task<Result<Written<Message>>> SqliteMessagingStore::send_message(Caller caller, SendMessage command,
                                                                  SteadyTime deadline) {
  PreparedSend send(caller, std::move(command));
  return write(std::move(caller), std::move(send), deadline, messaging::send_message);
}

// The rest only names which function does it.
using Store = SqliteMessagingStore;

Task<Result<Written<Message>>> Store::edit_message(Caller caller, EditMessage command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::edit_message);
}
Task<Result<Written<Message>>> Store::delete_message(Caller caller, DeleteMessage command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::delete_message);
}
Task<Result<Message>> Store::get_message(Caller caller, MessageId message_id, SteadyTime deadline) {
  return read(std::move(caller), std::move(message_id), deadline, messaging::get_message);
}
Task<Result<MessagePage>> Store::list_messages(Caller caller, ListMessages query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, messaging::list_messages);
}
Task<Result<MessagePage>> Store::messages_around(Caller caller, MessagesAround query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, messaging::messages_around);
}
Task<Result<MessagePage>> Store::list_replies(Caller caller, ListReplies query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, messaging::list_replies);
}
Task<Result<Page<MessageVersion>>> Store::list_versions(Caller caller, ListVersions query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, messaging::list_versions);
}
Task<Result<Written<ReactionSummary>>> Store::add_reaction(Caller caller, React command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::add_reaction);
}
Task<Result<Written<ReactionSummary>>> Store::remove_reaction(Caller caller, React command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::remove_reaction);
}

Task<Result<Written<Conversation>>> Store::create_conversation(Caller caller, CreateConversation command,
                                                               SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::create_conversation);
}
Task<Result<Conversation>> Store::get_conversation(Caller caller, ConversationId conversation_id, SteadyTime deadline) {
  return read(std::move(caller), std::move(conversation_id), deadline, messaging::get_conversation);
}
Task<Result<Page<Conversation>>> Store::list_conversations(Caller caller, ListConversations query,
                                                           SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, messaging::list_conversations);
}
Task<Result<Written<Conversation>>> Store::update_conversation(Caller caller, UpdateConversation command,
                                                               SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::update_conversation);
}
Task<Result<Written<Nothing>>> Store::delete_conversation(Caller caller, DeleteConversation command,
                                                          SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::delete_conversation);
}

Task<Result<Written<Member>>> Store::add_member(Caller caller, AddMember command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::add_member);
}
Task<Result<Written<Nothing>>> Store::remove_member(Caller caller, RemoveMember command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::remove_member);
}
Task<Result<Written<Member>>> Store::set_member_role(Caller caller, SetMemberRole command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::set_member_role);
}
Task<Result<Page<Member>>> Store::list_members(Caller caller, ListMembers query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, messaging::list_members);
}
Task<Result<Written<ReadState>>> Store::set_read_mark(Caller caller, SetReadMark command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::set_read_mark);
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
  co_return co_await write(std::move(caller), Nothing{}, deadline, messaging::see_user);
}
Task<Result<Written<User>>> Store::update_user(Caller caller, UpdateUser command, SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::update_user);
}
Task<Result<User>> Store::get_user(Caller caller, UserId user_id, SteadyTime deadline) {
  return read(std::move(caller), std::move(user_id), deadline, messaging::get_user);
}

Task<Result<Page<ConversationId>>> Store::get_scope(Caller caller, std::size_t limit, SteadyTime deadline) {
  return read(std::move(caller), limit, deadline, messaging::get_scope);
}
Task<Result<LookedUp>> Store::look_up(Caller caller, LookUp query, SteadyTime deadline) {
  return read(std::move(caller), std::move(query), deadline, messaging::look_up);
}
Task<Result<bool>> Store::may_read_file(Caller caller, FileId file, SteadyTime deadline) {
  return read(std::move(caller), std::move(file), deadline, messaging::may_read_file);
}
Task<Result<std::int64_t>> Store::forget_files(TenantId tenant, std::vector<FileId> files, SteadyTime deadline) {
  const Caller media{.tenant = std::move(tenant), .user = {}, .roles = {}, .name = {}};
  std::int64_t messages = 0;
  for (const FileId& file : files) {
    std::optional<std::int64_t> after = 0;
    while (after) {
      ForgetFile part{file, *after, kFilesForgottenAtOnce};
      auto done = co_await write(media, std::move(part), deadline, messaging::forget_file);
      if (!done) co_return fail(std::move(done.error()));
      messages += done->value.messages;
      after = done->value.next;
    }
  }
  co_return messages;
}

Task<Result<Written<ImportSummary>>> Store::import_messages(Caller caller, ImportMessages command,
                                                            SteadyTime deadline) {
  return write(std::move(caller), std::move(command), deadline, messaging::import_messages);
}

Task<Result<>> Store::ping(SteadyTime deadline) {
  auto head = co_await log_.head(deadline);
  if (!head) co_return fail(std::move(head.error()));
  co_return Result<>{};
}

Task<Result<Page<TenantId>>> Store::scan_tenants(std::optional<TenantId> after, std::size_t limit,
                                                 SteadyTime deadline) {
  return readers_.run<Page<TenantId>>(deadline, [after = std::move(after), limit](sqlite::Connection& db) {
    return messaging::scan_tenants(db, after, limit);
  });
}
Task<Result<Page<ScannedConversation>>> Store::scan_conversations(TenantId tenant, std::optional<ConversationId> after,
                                                                  std::size_t limit, SteadyTime deadline) {
  return readers_.run<Page<ScannedConversation>>(
      deadline, [tenant = std::move(tenant), after = std::move(after), limit](sqlite::Connection& db) {
        return messaging::scan_conversations(db, tenant, after, limit);
      });
}
Task<Result<Page<Message>>> Store::scan_messages(TenantId tenant, ConversationId conversation, Seq after,
                                                 std::size_t limit, SteadyTime deadline) {
  return readers_.run<Page<Message>>(
      deadline, [tenant = std::move(tenant), id = std::move(conversation), after, limit](sqlite::Connection& db) {
        return messaging::scan_messages(db, tenant, id, after, limit);
      });
}
Task<Result<Page<User>>> Store::scan_users(TenantId tenant, std::optional<UserId> after, std::size_t limit,
                                           SteadyTime deadline) {
  return readers_.run<Page<User>>(
      deadline, [tenant = std::move(tenant), after = std::move(after), limit](sqlite::Connection& db) {
        return messaging::scan_users(db, tenant, after, limit);
      });
}

Task<Result<std::int64_t>> Store::erase_deleted(std::int64_t limit, SteadyTime deadline) {
  return writer_.run<std::int64_t>(deadline, [limit](sqlite::Connection& db) -> Result<std::int64_t> {
    return messaging::erase_deleted(db, limit);
  });
}

Task<Result<CheckReport>> Store::check(SteadyTime deadline) {
  return readers_.run<CheckReport>(deadline,
                                   [](sqlite::Connection& db) -> Result<CheckReport> { return check_messaging(db); });
}

Task<Result<>> Store::backup(std::filesystem::path target, SteadyTime deadline) {
  auto done =
      co_await readers_.run<Nothing>(deadline, [target = std::move(target)](sqlite::Connection& db) -> Result<Nothing> {
        sqlite::backup(db, target);
        return Nothing{};
      });
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<>{};
}

}  // namespace parley::messaging
