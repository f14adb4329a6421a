// The contract of a move from one kind of media store to another (media/transfer), as a GoogleTest suite over pairs of
// adapters. An adapter's test links media_transfer_contract.cc and instantiates it, as messaging's does.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "events/event_log.h"
#include "media/media_store.h"
#include "media/transfer/media_transfer.h"

namespace parley::media::testing {

// A place for a store of one adapter, which goes with it: served, or moved from, or moved to.
class MediaMoveSide {
 public:
  virtual ~MediaMoveSide() = default;
  virtual Result<> serve() = 0;
  virtual void stop() = 0;
  virtual MediaStore& store() = 0;  // while it is served, like the next two
  virtual events::EventLog& log() = 0;
  virtual std::vector<std::string> problems(EventLoop& loop) = 0;
  virtual std::unique_ptr<transfer::MediaReader> source() = 0;
  virtual std::unique_ptr<transfer::MediaWriter> target() = 0;  // while nobody serves it
};
using MakeMediaSide = std::unique_ptr<MediaMoveSide> (*)(const Clock&, Random&);
struct MediaMovePair {
  MakeMediaSide from;
  MakeMediaSide to;  // null where the engine of either is not at hand
};

class MediaTransferContract : public ::testing::TestWithParam<MediaMovePair> {
 protected:
  MediaTransferContract() { loops_.start(); }
  ~MediaTransferContract() override;
  void SetUp() override;

  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  Upload begun(MediaMoveSide& side, const char* owner, std::uint64_t bytes, UploadKind kind = UploadKind::kChunked);
  File stored(MediaMoveSide& side, const char* owner, std::uint64_t bytes);
  void remove(MediaMoveSide& side, const File& file);
  Usage usage(MediaMoveSide& side, const char* user);
  // Some of everything that a store can hold.
  void fill(MediaMoveSide& side);

  static std::int64_t copied(MediaMoveSide& from, MediaMoveSide& to);
  static transfer::MediaComparison compared(MediaMoveSide& from, MediaMoveSide& to);
  static void finish(MediaMoveSide& from, MediaMoveSide& to);

  ManualClock clock_;
  SeededRandom random_{3};
  EventLoops loops_{1};
  std::unique_ptr<MediaMoveSide> from_;
  std::unique_ptr<MediaMoveSide> to_;
  File picture_;
  Upload under_way_;
};

}  // namespace parley::media::testing
