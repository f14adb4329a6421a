#include "messaging/transfer/store_copy.h"

#include <algorithm>

#include "messaging/transfer/canonical.h"

namespace parley::messaging::transfer {

namespace {

constexpr std::size_t kRecordsAtOnce = 1'000;
constexpr std::size_t kConversationsAtOnce = 200;
constexpr std::size_t kMessagesAtOnce = 500;  // of up to 64 KiB

class Copier {
 public:
  Copier(StoreReader& source, StoreWriter& target, const CopyProgress& progress)
      : source_(source), target_(target), progress_(progress) {}

  Result<CopyCounts> run() {
    if (auto done = copy_users(); !done) return fail(std::move(done.error()));
    if (auto done = copy_conversations(); !done) return fail(std::move(done.error()));
    // After the messages that they lead to.
    if (auto done = copy_requests(); !done) return fail(std::move(done.error()));
    if (auto done = copy_deleted_files(); !done) return fail(std::move(done.error()));
    return counts_;
  }

 private:
  Result<> copy_users();
  Result<> copy_conversations();
  Result<> copy_conversation(const ConversationRecord& conversation);
  Result<> copy_members(const ConversationName& conversation);
  Result<> copy_messages(const ConversationName& conversation);
  Result<> copy_requests();
  Result<> copy_deleted_files();

  StoreReader& source_;
  StoreWriter& target_;
  const CopyProgress& progress_;
  CopyCounts counts_;
};

Result<> Copier::copy_users() {
  return walk_both<UserName>(
      source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.users(range); },
      [this](const auto& here, const auto& there) -> Result<> {
        const auto difference = find_difference(here, there);
        if (auto put = target_.put_users(difference.wanted); !put) return put;
        counts_.users += static_cast<std::int64_t>(difference.wanted.size());
        progress_(counts_);
        return {};
      });
}

Result<> Copier::copy_conversations() {
  return walk_both<ConversationName>(
      source_, target_, kConversationsAtOnce, [](auto& store, const auto& range) { return store.conversations(range); },
      [this](const auto& here, const auto& there) -> Result<> {
        const auto difference = find_difference(here, there);
        counts_.conversations += static_cast<std::int64_t>(here.size());
        for (const ConversationRecord& conversation : here) {
          // What is being erased changes without events.
          const bool differs =
              std::ranges::binary_search(difference.wanted, conversation.name, {}, &ConversationRecord::name);
          if (!differs && !conversation.erase_from) continue;
          if (auto copied = copy_conversation(conversation); !copied) return copied;
        }
        progress_(counts_);
        return {};
      });
}

Result<> Copier::copy_conversation(const ConversationRecord& conversation) {
  if (auto put = target_.put_conversation(conversation, false); !put) return put;
  if (auto put = copy_members(conversation.name); !put) return put;
  if (auto put = copy_messages(conversation.name); !put) return put;
  ++counts_.changed_conversations;
  // Last, and as it was before the rest was read: what came since is seen the next time.
  return target_.put_conversation(conversation, true);
}

Result<> Copier::copy_members(const ConversationName& conversation) {
  const auto here = source_.members(conversation);
  if (!here) return fail(here.error());
  const auto there = target_.members(conversation);
  if (!there) return fail(there.error());
  const auto difference = find_difference(*here, *there);
  std::vector<UserId> gone;
  for (const MemberRecord& member : difference.surplus) gone.push_back(member.user);
  if (auto removed = target_.remove_members(conversation, gone); !removed) return removed;
  counts_.members += static_cast<std::int64_t>(difference.wanted.size());
  return target_.put_members(conversation, difference.wanted);
}

Result<> Copier::copy_messages(const ConversationName& conversation) {
  return walk_both<Seq>(
      source_, target_, kMessagesAtOnce,
      [&conversation](auto& store, const auto& range) { return store.messages(conversation, range); },
      [this, &conversation](const auto& here, const auto& there) -> Result<> {
        const auto difference = find_difference(here, there);
        if (auto put = target_.put_messages(conversation, difference.wanted, !there.empty()); !put) return put;
        counts_.messages += static_cast<std::int64_t>(difference.wanted.size());
        progress_(counts_);
        return {};
      });
}

Result<> Copier::copy_requests() {
  return walk_both<Digest>(
      source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.requests(range); },
      [this](const auto& here, const auto& there) -> Result<> {
        const auto difference = find_difference(here, there);
        if (auto put = target_.put_requests(difference.wanted); !put) return put;
        counts_.requests += static_cast<std::int64_t>(difference.wanted.size());
        progress_(counts_);
        return {};
      });
}

Result<> Copier::copy_deleted_files() {
  return walk_both<FileName>(
      source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.deleted_files(range); },
      [this](const auto& here, const auto& there) -> Result<> {
        const auto difference = find_difference(here, there);
        if (auto removed = target_.remove_deleted_files(difference.surplus); !removed) return removed;
        counts_.deleted_files += static_cast<std::int64_t>(difference.wanted.size());
        return target_.put_deleted_files(difference.wanted);
      });
}

}  // namespace

Result<> claim(StoreReader& source, StoreWriter& target) {
  return claim_target(source, target);
}

Result<CopyCounts> copy(StoreReader& source, StoreWriter& target, const CopyProgress& progress) {
  return Copier(source, target, progress).run();
}

}  // namespace parley::messaging::transfer
