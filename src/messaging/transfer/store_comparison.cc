#include "messaging/transfer/store_comparison.h"

#include <fmt/format.h>

namespace parley::messaging::transfer {

namespace {

constexpr std::size_t kRecordsAtOnce = 1'000;
constexpr std::size_t kConversationsAtOnce = 200;
constexpr std::size_t kMessagesAtOnce = 500;

std::string text_of(const ConversationName& name) {
  return fmt::format("tenant {}, conversation {}", name.tenant.value, name.id.value);
}

// What one conversation came to on one side.
struct Holding {
  std::int64_t members = 0;
  std::int64_t messages = 0;
  std::int64_t versions = 0;
  std::int64_t reactions = 0;
  Checksum checksum;

  void take(const MemberRecord& record) {
    ++members;
    checksum.add(canonical(record));
  }
  void take(const MessageRecord& record) {
    ++messages;
    versions += static_cast<std::int64_t>(record.versions.size());
    reactions += static_cast<std::int64_t>(record.reactions.size());
    checksum.add(canonical(record));
  }
  void add_to(StoreTotals& totals) const {
    ++totals.conversations;
    totals.members += members;
    totals.messages += messages;
    totals.versions += versions;
    totals.reactions += reactions;
    totals.checksum.add(checksum);
  }
};

class Comparer {
 public:
  Comparer(StoreReader& source, StoreReader& target, const CompareProgress& progress)
      : source_(source), target_(target), progress_(progress) {}

  Result<Comparison> run() {
    if (auto done = compare_users(); !done) return fail(std::move(done.error()));
    if (auto done = compare_conversations(); !done) return fail(std::move(done.error()));
    if (auto done = compare_requests(); !done) return fail(std::move(done.error()));
    if (auto done = compare_deleted_files(); !done) return fail(std::move(done.error()));
    return std::move(out_);
  }

 private:
  // Records that belong to no conversation.
  template <class Record>
  Result<> take(const std::vector<Record>& here, const std::vector<Record>& there, const char* what) {
    lay_side_by_side(here, there, [&](const Record* one, const Record* other) {
      if (one) out_.source.checksum.add(canonical(*one));
      if (other) out_.target.checksum.add(canonical(*other));
      if (!one || !other || canonical(*one) != canonical(*other))
        report(name_of(*(one ? one : other), what), one, other);
    });
    progress_(out_.source);
    return {};
  }
  static std::string name_of(const UserRecord& record, const char*) {
    return fmt::format("tenant {}, user {}", record.tenant.value, record.user.id.value);
  }
  static std::string name_of(const DeletedFileRecord& record, const char*) {
    return fmt::format("tenant {}, deleted file {}", record.tenant.value, record.file.value);
  }
  static std::string name_of(const RequestRecord&, const char* what) { return what; }
  void report(const std::string& where, const void* one, const void* other) {
    report(where + (!other ? ": not in the target" : !one ? ": not in the source" : ": not the same"));
  }
  void report(std::string difference) {
    ++out_.differing;
    if (out_.differences.size() < kMaxDifferences) out_.differences.push_back(std::move(difference));
  }

  Result<> compare_users();
  Result<> compare_conversations();
  Result<> compare_conversation(const ConversationRecord* one, const ConversationRecord* other);
  Result<> compare_members(const ConversationName& name, Holding& here, Holding& there);
  // Answers the first seq that differs, if any.
  Result<std::optional<Seq>> compare_messages(const ConversationName& name, Holding& here, Holding& there);
  Result<> compare_requests();
  Result<> compare_deleted_files();

  StoreReader& source_;
  StoreReader& target_;
  const CompareProgress& progress_;
  Comparison out_;
};

Result<> Comparer::compare_users() {
  return walk_both<UserName>(
      source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.users(range); },
      [this](const auto& here, const auto& there) -> Result<> {
        out_.source.users += static_cast<std::int64_t>(here.size());
        out_.target.users += static_cast<std::int64_t>(there.size());
        return take(here, there, "user");
      });
}

Result<> Comparer::compare_requests() {
  return walk_both<Digest>(
      source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.requests(range); },
      [this](const auto& here, const auto& there) -> Result<> {
        out_.source.requests += static_cast<std::int64_t>(here.size());
        out_.target.requests += static_cast<std::int64_t>(there.size());
        return take(here, there, "an idempotency key");
      });
}

Result<> Comparer::compare_deleted_files() {
  return walk_both<FileName>(
      source_, target_, kRecordsAtOnce, [](auto& store, const auto& range) { return store.deleted_files(range); },
      [this](const auto& here, const auto& there) -> Result<> { return take(here, there, "deleted file"); });
}

Result<> Comparer::compare_conversations() {
  return walk_both<ConversationName>(
      source_, target_, kConversationsAtOnce, [](auto& store, const auto& range) { return store.conversations(range); },
      [this](const auto& here, const auto& there) -> Result<> {
        Result<> done;
        lay_side_by_side(here, there, [&](const ConversationRecord* one, const ConversationRecord* other) {
          if (done) done = compare_conversation(one, other);
        });
        return done;
      });
}

Result<> Comparer::compare_conversation(const ConversationRecord* one, const ConversationRecord* other) {
  const ConversationName& name = one ? one->name : other->name;
  Holding here;
  Holding there;
  if (one) here.checksum.add(canonical(*one));
  if (other) there.checksum.add(canonical(*other));
  const bool fields_differ = one && other && here.checksum != there.checksum;
  if (auto done = compare_members(name, here, there); !done) return done;
  const auto first = compare_messages(name, here, there);
  if (!first) return fail(first.error());
  if (one) here.add_to(out_.source);
  if (other) there.add_to(out_.target);
  if (!one || !other) {
    report(text_of(name), one, other);
  } else if (here.checksum != there.checksum) {
    report(fmt::format("{}: {} members and {} messages in the source, {} and {} in the target; checksums {} and {}{}{}",
                       text_of(name), here.members, here.messages, there.members, there.messages,
                       here.checksum.hex().substr(0, 16), there.checksum.hex().substr(0, 16),
                       fields_differ ? "; its own fields differ" : "",
                       *first ? fmt::format("; from seq {}", **first) : ""));
  }
  progress_(out_.source);
  return {};
}

Result<> Comparer::compare_members(const ConversationName& name, Holding& here, Holding& there) {
  const auto ours = source_.members(name);
  if (!ours) return fail(ours.error());
  const auto theirs = target_.members(name);
  if (!theirs) return fail(theirs.error());
  for (const MemberRecord& member : *ours) here.take(member);
  for (const MemberRecord& member : *theirs) there.take(member);
  return {};
}

Result<std::optional<Seq>> Comparer::compare_messages(const ConversationName& name, Holding& here, Holding& there) {
  std::optional<Seq> first;
  auto done = walk_both<Seq>(
      source_, target_, kMessagesAtOnce,
      [&name](auto& store, const auto& range) { return store.messages(name, range); },
      [&](const auto& ours, const auto& theirs) -> Result<> {
        lay_side_by_side(ours, theirs, [&](const MessageRecord* one, const MessageRecord* other) {
          if (one) here.take(*one);
          if (other) there.take(*other);
          if (!first && here.checksum != there.checksum && (!one || !other || canonical(*one) != canonical(*other))) {
            first = key_of(one ? *one : *other);
          }
        });
        return {};
      });
  if (!done) return fail(std::move(done.error()));
  return first;
}

}  // namespace

Result<Comparison> compare(StoreReader& source, StoreReader& target, const CompareProgress& progress) {
  return Comparer(source, target, progress).run();
}

}  // namespace parley::messaging::transfer
