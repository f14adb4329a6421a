// One page of a list, as services and stores pass it on. Plain values; any thread.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

namespace parley {

// has_more says that there is something after its last item, in the order that was asked for.
template <class T>
struct Page {
  std::vector<T> items;
  bool has_more = false;
};

// Cuts the item too many that was asked for to learn whether there is more.
template <class T>
Page<T> cut_page(std::vector<T> items, std::size_t limit) {
  Page<T> page{std::move(items), false};
  if (page.items.size() > limit) {
    page.items.resize(limit);
    page.has_more = true;
  }
  return page;
}

}  // namespace parley
