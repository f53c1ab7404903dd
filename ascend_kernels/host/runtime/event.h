// SPDX-License-Identifier: Apache-2.0
// Events: marks in a stream that others wait for and that carry the time at which the stream passed them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "runtime/stream.h"

namespace aclq {

// One recording of an event: done once the stream has passed it.
class Capture {
  public:
    explicit Capture(std::shared_ptr<ErrorSlot> errors) : errors_(std::move(errors)) {}

    void finish();
    bool done() const;
    // Waits; false on timeout. timeoutMs < 0: for ever. Setting *giveUp and calling wake() ends the wait too.
    bool wait(std::int64_t timeoutMs, const std::atomic<bool>* giveUp = nullptr) const;
    void wake() const;
    std::uint64_t nanoseconds() const;
    ErrorSlot& errors() const { return *errors_; }

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable passed_;
    bool done_ = false;
    std::uint64_t nanoseconds_ = 0;
    const std::shared_ptr<ErrorSlot> errors_;
};

class Event {
  public:
    Event(std::uint32_t id, std::uint32_t flags, bool recordableAgain)
        : id(id), flags(flags), recordableAgain(recordableAgain) {}

    aclError record(Stream& stream);
    aclError makeWait(Stream& stream, std::int64_t timeoutMs);
    aclError reset(Stream& stream);
    aclError synchronize(std::int32_t timeoutMs);
    bool recorded() const;  // the latest recording is done; before the first one: recordableAgain
    bool waited() const;    // no stream still has a wait on this event ahead of it
    std::shared_ptr<Capture> latest() const;

    const std::uint32_t id;
    const std::uint32_t flags;
    // "Ex" events: each recording replaces the previous one, and an event never recorded counts as complete.
    const bool recordableAgain;

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<Capture> capture_;
    std::shared_ptr<Capture> lastWait_;
};

// How long a queued wait may stall a stream, for the whole process; 0 means for ever.
void setWaitTimeoutSeconds(std::uint32_t seconds);

}  // namespace aclq
