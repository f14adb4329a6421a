#include "events/event_log.h"

namespace parley::events {

CommitSignal::Subscription CommitSignal::subscribe(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  listeners_.emplace(++next_id_, std::move(listener));
  return {*this, next_id_};
}

CommitSignal::Subscription::~Subscription() {
  if (!signal_) return;
  const std::lock_guard lock(signal_->mutex_);
  signal_->listeners_.erase(id_);
}

void CommitSignal::notify() {
  const std::lock_guard lock(mutex_);
  for (auto& [id, listener] : listeners_) listener();
}

}  // namespace parley::events
