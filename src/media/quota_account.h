// QuotaAccount: what one user keeps, and the tenant around it, as the quotas count it. A store loads it within the
// transaction that changes it, and writes it back with save(), so that no two uploads are ever promised the same room.
// The arithmetic is here, the rows are the adapter's. One thread.
#pragma once
#include <cstdint>

#include "base/result.h"
#include "media/media_store.h"

namespace parley::media {

class QuotaAccount {
 public:
  virtual ~QuotaAccount() = default;

  // no_room quota_exceeded unless so many bytes more may be promised or kept.
  Result<> expect_room(const QuotaLimits& limits, std::uint64_t bytes) const;
  // How many that would be, at most.
  std::uint64_t room(const QuotaLimits& limits) const;
  std::int64_t uploads() const { return uploads_; }

  void reserve(std::uint64_t bytes);
  void give_back(std::uint64_t bytes);
  void begin_upload() { ++uploads_; }
  void end_upload() { --uploads_; }
  void add_file(std::uint64_t bytes);
  void remove_file(std::uint64_t bytes);
  std::int64_t next_event_number() { return ++event_number_; }
  virtual void save() = 0;

  Usage usage(const QuotaLimits& limits) const;

 protected:
  struct Counts {
    std::int64_t stored = 0;
    std::int64_t reserved = 0;
    std::int64_t files = 0;
    UsageCount count(std::uint64_t limit) const;
    std::uint64_t room(std::uint64_t limit) const;
  };

  Counts user_counts_;
  Counts tenant_counts_;
  std::int64_t uploads_ = 0;
  std::int64_t event_number_ = 0;
};

}  // namespace parley::media
