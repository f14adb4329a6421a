// AlignedBuffer: a fixed room for bytes whose memory begins at a page, as writes past the page cache want it (open(2),
// O_DIRECT). Owned by one thread at a time.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace parley::media {

class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 4096;

  AlignedBuffer() = default;
  // A multiple of kAlignment.
  explicit AlignedBuffer(std::size_t capacity)
      : memory_(static_cast<char*>(std::aligned_alloc(kAlignment, capacity))), capacity_(capacity) {
    if (!memory_) throw std::bad_alloc();
  }

  std::size_t capacity() const { return capacity_; }
  std::size_t size() const { return size_; }
  std::string_view bytes() const { return {memory_.get(), size_}; }
  void clear() { size_ = 0; }

  // As much of `bytes` as there is room for, up to `limit` bytes in all; answers how much that was.
  std::size_t append(std::string_view bytes, std::size_t limit) {
    const std::size_t taken = std::min(bytes.size(), std::min(limit, capacity_) - size_);
    if (taken > 0) std::memcpy(memory_.get() + size_, bytes.data(), taken);
    size_ += taken;
    return taken;
  }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> memory_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace parley::media
