// LruMap: values by text key, bounded by their number and by the bytes that their owner says they take; the one longest
// unused gives way. No lock: the owner has one, or one map for each loop.
#pragma once
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace parley::cache {

template <class Value>
class LruMap {
 public:
  LruMap(std::size_t most_entries, std::size_t most_bytes) : most_entries_(most_entries), most_bytes_(most_bytes) {}

  // Null when there is none; else it counts as used. Good until the next put() or erase().
  Value* find(std::string_view key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->value;
  }

  // Takes the place of an older one. What is larger than the whole map may be is not kept.
  void put(std::string key, Value value, std::size_t value_bytes) {
    erase(key);
    const std::size_t bytes = key.size() + value_bytes + kEntryBytes;
    if (bytes > most_bytes_ || most_entries_ == 0) return;
    while (entries_.size() >= most_entries_ || bytes_ + bytes > most_bytes_) drop(std::prev(entries_.end()));
    entries_.push_front({std::move(key), std::move(value), bytes});
    by_key_.emplace(entries_.front().key, entries_.begin());
    bytes_ += bytes;
  }

  void erase(std::string_view key) {
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) drop(found->second);
  }
  void clear() {
    by_key_.clear();
    entries_.clear();
    bytes_ = 0;
  }

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kEntryBytes = 128;  // of the two containers, about
  struct Entry {
    std::string key;
    Value value;
    std::size_t bytes;
  };
  using Place = typename std::list<Entry>::iterator;

  void drop(Place entry) {
    bytes_ -= entry->bytes;
    by_key_.erase(entry->key);
    entries_.erase(entry);
  }

  const std::size_t most_entries_;
  const std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, Place> by_key_;
};

}  // namespace parley::cache
