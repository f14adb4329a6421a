#include "search/result_cache.h"

namespace parley::search {

namespace {

std::size_t bytes_of(const FoundMessages& found) {
  std::size_t bytes = sizeof found + found.near_words.value_or("").size() + found.page.next.value_or("").size();
  for (const Hit& hit : found.page.items) {
    bytes +=
        sizeof hit + hit.conversation.value.size() + hit.id.value.size() + hit.highlight.size() + hit.file_names.size();
  }
  return bytes;
}

std::size_t bytes_of(const FoundEntries& found) {
  std::size_t bytes = sizeof found + found.next.value_or("").size();
  for (const DirectoryHit& hit : found.items) bytes += sizeof hit + hit.id.size() + hit.highlight.size();
  return bytes;
}

}  // namespace

Sha256 ResultCache::digest_of(const std::vector<ConversationId>& conversations) {
  std::string text;
  text.reserve(conversations.size() * 40);
  for (const ConversationId& id : conversations) text.append(id.value).append(1, '\n');  // ids hold no line breaks
  return sha256(text);
}

ResultCache::ResultCache() = default;

std::shared_ptr<const ResultCache::Found> ResultCache::find(const std::string& key, const State& state) {
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const Entry* const entry = shard.entries.find(key);
  if (entry == nullptr) return nullptr;
  const bool good = entry->state.scope == state.scope && entry->state.through == state.through &&
                    state.now - entry->state.now < kLife;
  if (good) return entry->found;
  shard.entries.erase(key);
  return nullptr;
}

void ResultCache::put(std::string key, const State& state, std::shared_ptr<const Found> found) {
  const std::size_t bytes = std::visit([](const auto& pages) { return bytes_of(pages); }, *found);
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  shard.entries.put(std::move(key), {state, std::move(found)}, bytes);
}

}  // namespace parley::search
