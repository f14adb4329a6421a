// `--format irc`: a folder of logs, or one. Each file becomes one conversation named after it, in which the messages
// have the ids FILE:LINE, so that a rerun meets them again. docs/import.md has the rules. One thread reads.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "import/import_source.h"
#include "import/source_files.h"

namespace parley::import {

struct IrcOptions {
  std::string conversation_prefix;
  std::optional<std::chrono::sys_days> date;  // of files without one in their name; else the file's own time
};

class IrcSource final : public ImportSource {
 public:
  // `clock` must outlive the source.
  IrcSource(std::vector<SourceFile> files, IrcOptions options, const Clock& clock);

  std::uint64_t total_bytes() const override { return total_size(files_); }
  Result<> read(ImportSink& sink) override;

 private:
  Result<> read_file(const SourceFile& file, ImportSink& sink, bool& go_on) const;
  std::chrono::sys_days day_of(const SourceFile& file) const;

  const std::vector<SourceFile> files_;
  const IrcOptions options_;
  const Clock& clock_;
};

}  // namespace parley::import
