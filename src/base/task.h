// Task<T>: the one coroutine type. It is Asio's awaitable bound to io_context's own executor (a type-erased executor
// costs 9 % of a proxied request; see docs/adr). A Task runs on the event loop that awaits it and never moves to
// another.
//
// Rules: parameters by value, or references to what outlives the process; no capturing lambda coroutines; no lock or
// transaction held across co_await; every wait has a deadline; every spawned Task has an owner (TaskGroup).
#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace parley {

namespace asio = boost::asio;

using LoopExecutor = asio::io_context::executor_type;

template <class T = void>
using Task = asio::awaitable<T, LoopExecutor>;

// Completion token for `co_await socket.async_…(kAwait)`: answers (error_code, …) instead of throwing.
inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable_t<LoopExecutor>{});

}  // namespace parley
