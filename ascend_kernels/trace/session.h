// SPDX-License-Identifier: Apache-2.0
// What is done with calls: up to eight sessions, each with a filter.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "call.h"
#include "record.h"

namespace aclq::trace {

constexpr int kMaxSessions = 8;

struct Session {
    std::string path;
    int file = -1;  // of a trace
    bool trace = false, json = false, sync = false, times = false;
    std::int64_t begin = 0;
    std::unique_ptr<Recorder> recorder;

    void write(const std::string& line);
    // Another thread may be writing: its line goes first, and none later to a file that is not ours any more.
    void close();

    // Around a fork.
    void lock() {
        if (recorder != nullptr) {
            recorder->lock();
        }
        mutex_.lock();
    }
    void unlock() {
        mutex_.unlock();
        if (recorder != nullptr) {
            recorder->unlock();
        }
    }

  private:
    std::mutex mutex_;
};

std::int64_t now();  // ns of the monotonic clock

// Reads, and thereby clears, what the library says about this thread's errors; keeps it for the client, who asks later.
std::string takeErrorText();
// Adds to what the client reads next.
void keepErrorText(const std::string& text);

// Whether work on this stream is being captured into a graph: then no thread may wait for it.
bool isCapturing(std::uint64_t stream);

}  // namespace aclq::trace
