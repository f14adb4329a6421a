// Two stores that are to hold the same, looked at range by range: records come in the order of their keys, and the same
// range of both is laid side by side. A record says its key with key_of(record), beside its type. Blocks as the stores
// do.
#pragma once
#include <algorithm>
#include <optional>
#include <vector>

#include "base/result.h"

namespace parley {

// Keys behind `after` up to `through`, at most `limit`; without a bound there is none, 0 is no limit.
template <class Key>
struct KeyRange {
  std::optional<Key> after;
  std::optional<Key> through;
  std::size_t limit = 0;
};

// What two sorted lists hold of each key: calls see(const Record*, const Record*), with null for none.
template <class Record, class See>
void lay_side_by_side(const std::vector<Record>& one, const std::vector<Record>& other, See see) {
  auto a = one.begin();
  auto b = other.begin();
  while (a != one.end() || b != other.end()) {
    if (b == other.end() || (a != one.end() && key_of(*a) < key_of(*b))) {
      see(&*a++, static_cast<const Record*>(nullptr));
    } else if (a == one.end() || key_of(*b) < key_of(*a)) {
      see(static_cast<const Record*>(nullptr), &*b++);
    } else {
      see(&*a++, &*b++);
    }
  }
}

// What of `here` is not there, or not like that; and what is there beyond it. Two records are the same when
// canonical(record) is.
template <class Record>
struct Difference {
  std::vector<Record> wanted;
  std::vector<Record> surplus;
};
template <class Record>
Difference<Record> find_difference(const std::vector<Record>& here, const std::vector<Record>& there) {
  Difference<Record> difference;
  lay_side_by_side(here, there, [&](const Record* one, const Record* other) {
    if (!one) {
      difference.surplus.push_back(*other);
    } else if (!other || canonical(*one) != canonical(*other)) {
      difference.wanted.push_back(*one);
    }
  });
  return difference;
}

// Reads both lists range by range: read(source or target, const KeyRange<Key>&) → Result<vector<Record>>, take(both
// parts) → Result<>. Each range is as long as `limit` records of `source` are.
template <class Key, class Source, class Target, class Read, class Take>
Result<> walk_both(Source& source, Target& target, std::size_t limit, Read read, Take take) {
  std::optional<Key> after;
  for (;;) {
    auto here = read(source, KeyRange<Key>{after, {}, limit});
    if (!here) return fail(std::move(here.error()));
    const bool last = here->size() < limit;
    KeyRange<Key> same{after, {}, 0};
    if (!last) same.through = key_of(here->back());
    auto there = read(target, same);
    if (!there) return fail(std::move(there.error()));
    if (auto taken = take(*here, *there); !taken) return taken;
    if (last) return {};
    after = same.through;
  }
}

}  // namespace parley
