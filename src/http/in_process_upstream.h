// A role of the same process as an upstream: the same request and response types, no socket.
#pragma once
#include <string>

#include "http/service.h"
#include "http/upstream.h"

namespace parley::http {

class InProcessUpstream final : public Upstream {
 public:
  // `service` must outlive this.
  InProcessUpstream(std::string name, Service& service) : name_(std::move(name)), service_(service) {}
  std::string_view name() const override { return name_; }
  Task<Result<Response>> call(Request& request, SteadyTime deadline) override;

 private:
  const std::string name_;
  Service& service_;
};

}  // namespace parley::http
