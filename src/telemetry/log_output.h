// Writing lines to file descriptor 1 so that nobody can hang the log: what a pipe or terminal does not take within a
// second is given up. Called by the log's thread only.
#pragma once
#include <cstddef>
#include <string_view>

namespace parley::log_detail {

// How many bytes of `lines` were taken; fewer than all when it was given up.
std::size_t write_to_stdout(std::string_view lines);

}  // namespace parley::log_detail
