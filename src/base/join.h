// join: several Tasks at once on the loop that awaits them; answers what each gave, in their order, once all have
// ended. The awaiting Task owns them: it goes on when none of them runs any more. Parameters of the Tasks are by value
// or refer to what outlives the await.
#pragma once
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <tuple>
#include <utility>

#include "base/task.h"

namespace parley {

template <class First, class Second>
Task<std::tuple<First, Second>> join(Task<First> first, Task<Second> second) {
  using namespace asio::experimental::awaitable_operators;
  co_return co_await (std::move(first) && std::move(second));
}

template <class First, class Second, class Third>
Task<std::tuple<First, Second, Third>> join(Task<First> first, Task<Second> second, Task<Third> third) {
  using namespace asio::experimental::awaitable_operators;
  co_return co_await (std::move(first) && std::move(second) && std::move(third));
}

}  // namespace parley
