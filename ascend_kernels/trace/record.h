// SPDX-License-Identifier: Apache-2.0
// Calls of operators with the memory they read and wrote, on disk (docs/recordings.md describes the format).
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "call.h"

namespace aclq::trace {

// How the process was started, with spaces between its arguments.
std::string commandLine();

class Recorder {
  public:
    // `limit` is text, empty for the default. A failure is a sentence in `error`.
    Recorder(std::string directory, const std::string& limit, std::string& error);

    void refused(const Call& phaseOne);
    // Before phase 2: what is written here survives whatever the call does.
    void begin(Call& phaseTwo);
    void end(Call& phaseTwo);

    void lock() { mutex_.lock(); }
    void unlock() { mutex_.unlock(); }

  private:
    void append(std::string line);
    bool openFile();
    std::string arguments(const ExecutorEntry& entry, bool withMemory);
    std::string store(const void* data, std::size_t size, std::string& error);

    std::string directory_;
    std::uint64_t limit_ = std::uint64_t{256} << 20;
    std::mutex mutex_;
    int file_ = -1;
    int process_ = 0;  // the process of the file; a forked child has its own
    std::atomic<std::uint64_t> count_{0};
    bool full_ = false;
};

}  // namespace aclq::trace
