// A role of the same process as an upstream: the same request and response types, no socket.
#pragma once
#include <functional>
#include <string>

#include "http/service.h"
#include "http/upstream.h"

namespace parley::http {

class InProcessUpstream final : public Upstream {
 public:
  // `service` must outlive this.
  InProcessUpstream(std::string name, Service& service)
      : InProcessUpstream(std::move(name), [&service]() -> Service& { return service; }) {}
  // For roles that ask each other: `service` is looked for at each call, and need not be made before the first.
  InProcessUpstream(std::string name, std::function<Service&()> service)
      : name_(std::move(name)), service_(std::move(service)) {}
  std::string_view name() const override { return name_; }
  Task<Result<Response>> call(Request& request, SteadyTime deadline) override;

 private:
  const std::string name_;
  const std::function<Service&()> service_;
};

}  // namespace parley::http
