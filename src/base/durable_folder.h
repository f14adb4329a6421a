// Makes folders that are still there after a power cut: a new name lasts only once the folder it stands in has been
// synced. Called at start, on any thread; blocks.
#pragma once
#include <filesystem>
#include <functional>
#include <system_error>

namespace parley {

std::error_code sync_folder(const std::filesystem::path& folder);

// Makes `folder` (mode 0700) and what is missing above it (as the umask says), and syncs the folder that holds each
// new one, nearest to the root first. `sync` stands in for sync_folder() in tests.
std::error_code make_durable_folder(
    const std::filesystem::path& folder,
    const std::function<std::error_code(const std::filesystem::path&)>& sync = sync_folder);

}  // namespace parley
