// Seqs are dense, so a page of messages is a range of numbers: which one, for every store adapter the same. Pure.
#pragma once
#include "messaging/commands.h"
#include "messaging/types.h"

namespace parley::messaging {

inline constexpr Seq kMaxSeq = 0xffff'ffff;

// Empty when low > high.
struct SeqRange {
  Seq low = 1;
  Seq high = 0;
};

SeqRange range_of(const ListMessages& query, Seq last);
SeqRange range_of(const MessagesAround& query, Seq last);

// A page of the messages of `range`, which stand in the order of their seqs.
MessagePage page_of(std::vector<Message> messages, const SeqRange& range, Seq last, SeqOrder order);

}  // namespace parley::messaging
