// SPDX-License-Identifier: Apache-2.0
// Events: marks in a stream that others wait for and that carry the time at which the stream passed them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "runtime/captured_graph.h"
#include "runtime/stream.h"

namespace aclq {

// One recording of an event: done once the stream has passed it.
class Recording {
  public:
    explicit Recording(std::shared_ptr<ErrorSlot> errors) : errors_(std::move(errors)) {}

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

// The state of an event with the flag ACL_EVENT_EXTERNAL. Tasks set it, wait for it and unset it, inside captured
// graphs and outside. The tasks own it, because the event may be destroyed before they run.
using ExternalFlag = std::atomic<bool>;

class Event {
  public:
    Event(std::uint32_t id, std::uint32_t flags, bool recordableAgain);

    aclError record(Stream& stream);
    aclError makeWait(Stream& stream, std::int64_t timeoutMs);
    aclError reset(Stream& stream);
    aclError synchronize(std::int32_t timeoutMs);
    bool recorded() const;  // the latest recording is done; before the first one: recordableAgain
    bool waited() const;    // no wait for this event is still queued on a stream
    std::shared_ptr<Recording> latest() const;
    // 107028 if the event was recorded in a running capture: its state is not defined yet.
    aclError refuseWhileCaptured(const char* what) const;
    bool external() const { return external_ != nullptr; }

    const std::uint32_t id;
    const std::uint32_t flags;
    // "Ex" events: each recording replaces the previous one, and an event never recorded counts as complete.
    const bool recordableAgain;

  private:
    // The running capture in which it was last recorded, if any, and the node.
    std::shared_ptr<CapturedGraph> inCapture(std::size_t* node) const;
    aclError refuseInCapture(const CapturePart& part) const;
    aclError captureRecord(const CapturePart& part);
    aclError captureWait(Stream& stream, const std::shared_ptr<CapturedGraph>& graph, std::size_t node);

    const std::shared_ptr<ExternalFlag> external_;  // null: an ordinary event
    mutable std::mutex mutex_;
    std::weak_ptr<CapturedGraph> graph_;
    std::size_t node_ = 0;
    std::shared_ptr<Recording> recording_;
    std::shared_ptr<Recording> lastWait_;
};

// How long a queued wait may stall a stream, for the whole process; 0 means for ever.
void setWaitTimeoutSeconds(std::uint32_t seconds);

}  // namespace aclq
