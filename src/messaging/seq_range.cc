#include "messaging/seq_range.h"

#include <algorithm>

namespace parley::messaging {

namespace {

SeqRange below(Seq from, Seq last, Seq limit) {
  const Seq high = std::min(from - 1, last);
  return {std::max<Seq>(1, high - limit + 1), high};
}
SeqRange above(Seq from, Seq last, Seq limit) {
  return {from + 1, std::min(last, from + limit)};
}

}  // namespace

SeqRange range_of(const ListMessages& query, Seq last) {
  const Seq from = std::clamp<Seq>(query.from.value_or(0), 0, kMaxSeq + 1);
  const auto limit = static_cast<Seq>(query.limit);
  const bool downwards = (query.order == SeqOrder::kNewestFirst) != query.backwards;
  return downwards ? below(query.from ? from : last + 1, last, limit) : above(from, last, limit);
}

SeqRange range_of(const MessagesAround& query, Seq last) {
  const auto limit = static_cast<Seq>(query.limit);
  const Seq low = std::max<Seq>(1, std::min(query.seq, last) - limit / 2);
  const Seq high = std::min(last, low + limit - 1);
  return {std::max<Seq>(1, high - limit + 1), high};
}

MessagePage page_of(std::vector<Message> messages, const SeqRange& range, Seq last, SeqOrder order) {
  MessagePage page;
  page.items = std::move(messages);
  page.has_before = range.low > 1;
  page.has_after = range.high < last;
  if (order == SeqOrder::kNewestFirst) {
    std::ranges::reverse(page.items);
    std::swap(page.has_before, page.has_after);
  }
  return page;
}

}  // namespace parley::messaging
