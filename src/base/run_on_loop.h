// For tests, benches and commands without a loop of their own: runs a Task on an event loop and blocks the calling
// thread, which must not be that loop's, for its answer.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <future>
#include <optional>

#include "base/event_loop.h"

namespace parley {

template <class T>
T run_on_loop(EventLoop& loop, Task<T> task) {
  std::promise<T> promise;
  auto future = promise.get_future();
  asio::co_spawn(loop.io(), std::move(task), [&promise](std::exception_ptr error, T value) {
    if (error) {
      promise.set_exception(error);
    } else {
      promise.set_value(std::move(value));
    }
  });
  return future.get();
}

}  // namespace parley
