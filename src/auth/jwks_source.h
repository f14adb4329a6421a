// JwksSource: where keys come from and may come anew: a file here, a URL by way of the HTTP client in app/. Called on
// the refresher's loop, one fetch at a time. Answers a JWKS or PEM text of at most KeySet::kMaxTextBytes, or an error.
#pragma once
#include <string>

#include "base/blocking.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace parley::auth {

class JwksSource {
 public:
  virtual ~JwksSource() = default;
  // Must end by `deadline`: shutting down waits for it.
  virtual Task<Result<std::string>> fetch(SteadyTime deadline) = 0;
};

// Reads the whole file each time, on the pool: the refresher compares what it reads, which, unlike mtime and size,
// misses no change. `pool` must outlive the source.
class FileJwksSource final : public JwksSource {
 public:
  FileJwksSource(std::string path, BlockingPool& pool) : path_(std::move(path)), pool_(pool) {}
  Task<Result<std::string>> fetch(SteadyTime deadline) override;

 private:
  const std::string path_;
  BlockingPool& pool_;
};

// The text of a key file of at most KeySet::kMaxTextBytes; for start-up, and what FileJwksSource runs. Blocks.
Result<std::string> read_key_file(const std::string& path);

}  // namespace parley::auth
