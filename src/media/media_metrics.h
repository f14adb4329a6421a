// MediaMetrics: what the media role tells of itself. One per role; the series may be set from any thread.
#pragma once
#include <array>
#include <cstdint>

#include "media/types.h"
#include "telemetry/metrics.h"

namespace parley::media {

class MediaMetrics {
 public:
  explicit MediaMetrics(Metrics& metrics);

  void received(std::uint64_t bytes) { bytes_in_.Increment(static_cast<double>(bytes)); }
  // What was sent of a file, and whether all that was asked for went.
  void sent(std::uint64_t bytes, bool complete) {
    bytes_out_.Increment(static_cast<double>(bytes));
    (complete ? downloads_ : cut_downloads_).Increment();
  }

  // A request that brings bytes, as long as this lives.
  class [[nodiscard]] Receiving {
   public:
    explicit Receiving(Gauge& gauge) : gauge_(gauge) { gauge_.Increment(); }
    ~Receiving() { gauge_.Decrement(); }
    Receiving(const Receiving&) = delete;
    Receiving& operator=(const Receiving&) = delete;

   private:
    Gauge& gauge_;
  };
  Receiving receiving() { return Receiving(receiving_); }

  void stored(UploadKind kind) { stored_[static_cast<std::size_t>(kind)]->Increment(); }
  void was_aborted() { aborted_.Increment(); }
  void was_taken_over() { taken_over_.Increment(); }
  void found_wrong_bytes() { wrong_bytes_.Increment(); }
  void read_over(std::uint64_t bytes) { read_over_.Increment(static_cast<double>(bytes)); }

 private:
  Counter& bytes_in_;
  Counter& bytes_out_;
  Counter& downloads_;
  Counter& cut_downloads_;
  Gauge& receiving_;
  std::array<Counter*, 3> stored_{};  // by kind; a partial upload never becomes a file
  Counter& aborted_;
  Counter& taken_over_;
  Counter& wrong_bytes_;
  Counter& read_over_;
};

}  // namespace parley::media
