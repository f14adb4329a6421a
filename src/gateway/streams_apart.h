// StreamsApart: one instance of media over two upstreams, each with connections of its own. Answers that last as long
// as their reader takes (downloads, streams of progress) have one, everything else the other: slow readers cost each
// other their place, and nobody an upload, a list or a deletion. Owned by the wiring; any loop.
#pragma once
#include <memory>
#include <string_view>

#include "http/upstream.h"

namespace parley::gateway {

// By media's own paths.
bool lasts_as_its_reader(const http::Request& request);

class StreamsApart final : public http::Upstream {
 public:
  StreamsApart(std::shared_ptr<http::Upstream> streams, std::shared_ptr<http::Upstream> others)
      : streams_(std::move(streams)), others_(std::move(others)) {}

  std::string_view name() const override { return others_->name(); }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime deadline) override {
    return (lasts_as_its_reader(request) ? *streams_ : *others_).call(request, deadline);
  }

 private:
  const std::shared_ptr<http::Upstream> streams_;
  const std::shared_ptr<http::Upstream> others_;
};

}  // namespace parley::gateway
