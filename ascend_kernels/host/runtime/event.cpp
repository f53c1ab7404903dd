// SPDX-License-Identifier: Apache-2.0
#include "runtime/event.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "runtime/status.h"

namespace aclq {
namespace {

std::atomic<std::uint32_t> waitTimeoutSeconds{0};

class RecordTask : public Task {
  public:
    explicit RecordTask(std::shared_ptr<Recording> recording) : recording_(std::move(recording)) {}
    std::optional<AsyncError> run() override {
        recording_->finish();
        return std::nullopt;
    }
    bool isSmall() const override { return true; }
    bool suitsWaiters() const override { return true; }
    void drop() override { recording_->finish(); }
    TaskKind kind() const override { return TaskKind::Event; }

  private:
    const std::shared_ptr<Recording> recording_;
};

class WaitTask : public Task {
  public:
    WaitTask(std::shared_ptr<Recording> recording, std::shared_ptr<Recording> waited, std::int64_t timeoutMs)
        : recording_(std::move(recording)), waited_(std::move(waited)), timeoutMs_(timeoutMs) {}
    std::optional<AsyncError> run() override {
        const bool passed = recording_->wait(timeoutMs_, &interrupted_);
        waited_->finish();
        if (!passed) {
            return AsyncError{
                ACL_ERROR_RT_EVENT_SYNC_TIMEOUT,
                errorLine(ACL_ERROR_RT_EVENT_SYNC_TIMEOUT, "aclrtStreamWaitEvent",
                          text("the event was not recorded within %lld ms", static_cast<long long>(timeoutMs_)))};
        }
        return std::nullopt;
    }
    bool isSmall() const override { return recording_->done(); }
    bool suitsWaiters() const override { return recording_->done(); }
    TaskKind kind() const override { return TaskKind::Event; }
    void drop() override { waited_->finish(); }
    void interrupt() override {
        interrupted_ = true;
        recording_->wake();
    }

  private:
    const std::shared_ptr<Recording> recording_;
    const std::shared_ptr<Recording> waited_;
    const std::int64_t timeoutMs_;
    std::atomic<bool> interrupted_{false};
};

// In a captured graph an event only orders nodes.
class MarkTask : public Task {
  public:
    explicit MarkTask(const char* name) : name_(name) {}
    std::optional<AsyncError> run() override { return std::nullopt; }
    bool isSmall() const override { return true; }
    bool suitsWaiters() const override { return true; }
    TaskKind kind() const override { return TaskKind::Event; }
    const char* name() const override { return name_; }

  private:
    const char* const name_;
};

class ExternalSetTask : public Task {
  public:
    ExternalSetTask(std::shared_ptr<ExternalFlag> flag, bool value) : flag_(std::move(flag)), value_(value) {}
    std::optional<AsyncError> run() override {
        *flag_ = value_;
        return std::nullopt;
    }
    bool isSmall() const override { return true; }
    bool suitsWaiters() const override { return true; }
    TaskKind kind() const override { return TaskKind::Event; }
    const char* name() const override { return value_ ? "aclrtRecordEvent" : "aclrtResetEvent"; }

  private:
    const std::shared_ptr<ExternalFlag> flag_;
    const bool value_;
};

class ExternalWaitTask : public Task {
  public:
    explicit ExternalWaitTask(std::shared_ptr<ExternalFlag> flag) : flag_(std::move(flag)) {}
    std::optional<AsyncError> run() override {
        while (!*flag_ && !interrupted_) {
            std::this_thread::sleep_for(kLook);
        }
        return std::nullopt;
    }
    std::optional<AsyncError> replay() override { return std::nullopt; }
    bool readyToReplay() const override { return *flag_; }
    TaskKind kind() const override { return TaskKind::Event; }
    const char* name() const override { return "aclrtStreamWaitEvent"; }
    void interrupt() override { interrupted_ = true; }

  private:
    static constexpr std::chrono::microseconds kLook{100};
    const std::shared_ptr<ExternalFlag> flag_;
    std::atomic<bool> interrupted_{false};
};

}  // namespace

void setWaitTimeoutSeconds(std::uint32_t seconds) {
    waitTimeoutSeconds = seconds;
}

void Recording::finish() {
    const std::lock_guard lock(mutex_);
    nanoseconds_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
    done_ = true;
    passed_.notify_all();
}

bool Recording::done() const {
    const std::lock_guard lock(mutex_);
    return done_;
}

bool Recording::wait(std::int64_t timeoutMs, const std::atomic<bool>* giveUp) const {
    std::unique_lock lock(mutex_);
    const auto over = [&] { return done_ || (giveUp != nullptr && *giveUp); };
    if (timeoutMs < 0) {
        passed_.wait(lock, over);
        return true;
    }
    return passed_.wait_for(lock, std::chrono::milliseconds(timeoutMs), over);
}

void Recording::wake() const {
    const std::lock_guard lock(mutex_);
    passed_.notify_all();
}

std::uint64_t Recording::nanoseconds() const {
    const std::lock_guard lock(mutex_);
    return nanoseconds_;
}

Event::Event(std::uint32_t number, std::uint32_t eventFlags, bool again)
    : id(number),
      flags(eventFlags),
      recordableAgain(again),
      external_((eventFlags & ACL_EVENT_EXTERNAL) != 0 ? std::make_shared<ExternalFlag>(false) : nullptr) {}

std::shared_ptr<CapturedGraph> Event::inCapture(std::size_t* node) const {
    std::shared_ptr<CapturedGraph> graph;
    {
        const std::lock_guard lock(mutex_);
        graph = graph_.lock();
        *node = node_;
    }
    return graph != nullptr && graph->capturing ? graph : nullptr;
}

aclError Event::refuseWhileCaptured(const char* what) const {
    std::size_t node = 0;
    const std::shared_ptr<CapturedGraph> graph = inCapture(&node);
    return graph == nullptr
               ? ACL_SUCCESS
               : fail(
                     ACL_ERROR_RT_EVENT_CAPTURED,
                     text("the event was recorded in the capture of %s, whose tasks do not run yet: it cannot %s; call "
                          "aclmdlRICaptureEnd first, or use another event",
                          graph->who().c_str(), what));
}

// A capture takes only ordinary events that can be recorded again.
aclError Event::refuseInCapture(const CapturePart& part) const {
    return recordableAgain
               ? ACL_SUCCESS
               : fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                      text("argument 'event': got an event of aclrtCreateEvent or aclrtCreateEventWithFlag in the "
                           "capture "
                           "of %s; allowed in a capture: events of aclrtCreateEventExWithFlag, and those with the flag "
                           "ACL_EVENT_EXTERNAL",
                           part.graph->who().c_str()));
}

aclError Event::captureRecord(const CapturePart& part) {
    if ((flags & ACL_EVENT_SYNC) == 0) {
        return ACL_SUCCESS;  // nothing to wait for; graphs have no event times
    }
    std::size_t node = 0;
    ACLQ_RETURN_IF_FAILED(recordNode(part, std::make_shared<MarkTask>("aclrtRecordEvent"), -1, &node));
    const std::lock_guard lock(mutex_);
    graph_ = part.graph;
    node_ = node;
    return ACL_SUCCESS;
}

aclError Event::record(Stream& stream) {
    const CapturePart part = stream.capture();
    if (external()) {
        return stream.submit(std::make_unique<ExternalSetTask>(external_, true));
    }
    if (part.graph != nullptr) {
        ACLQ_RETURN_IF_FAILED(refuseInCapture(part));
        return captureRecord(part);
    }
    auto recording = std::make_shared<Recording>(stream.errors());
    auto task = std::make_unique<RecordTask>(recording);
    ACLQ_RETURN_IF_FAILED(stream.submit(std::move(task)));
    // Last, so that a refused recording leaves the event unchanged.
    const std::lock_guard lock(mutex_);
    recording_ = std::move(recording);
    graph_.reset();
    return ACL_SUCCESS;
}

aclError Event::captureWait(Stream& stream, const std::shared_ptr<CapturedGraph>& graph, std::size_t node) {
    ACLQ_RETURN_IF_FAILED(joinCapture(stream, graph));
    const CapturePart part = stream.capture();
    return recordNode(part, std::make_shared<MarkTask>("aclrtStreamWaitEvent"), static_cast<std::ptrdiff_t>(node),
                      nullptr);
}

aclError Event::makeWait(Stream& stream, std::int64_t timeoutMs) {
    if (external()) {
        return stream.submit(std::make_unique<ExternalWaitTask>(external_));
    }
    std::size_t node = 0;
    if (const std::shared_ptr<CapturedGraph> graph = inCapture(&node)) {
        return captureWait(stream, graph, node);
    }
    std::shared_ptr<Recording> recording;
    {
        const std::lock_guard lock(mutex_);
        recording = recording_;
    }
    if (const CapturePart part = stream.capture(); part.graph != nullptr) {
        ACLQ_RETURN_IF_FAILED(refuseInCapture(part));
        if (recording) {
            return fail(ACL_ERROR_RT_CAPTURE_DEPENDENCY,
                        text("the event was recorded outside the capture of %s, which cannot depend on it; record it "
                             "inside, wait for it before the capture, or use an event with the flag ACL_EVENT_EXTERNAL",
                             part.graph->who().c_str()));
        }
        noteWaitForNothing(*part.graph);
        return ACL_SUCCESS;
    }
    if (!recording) {
        return ACL_SUCCESS;  // nothing was recorded: there is nothing to wait for
    }
    const std::uint32_t limit = waitTimeoutSeconds;
    if (timeoutMs < 0 && limit > 0) {
        timeoutMs = std::int64_t{limit} * 1000;
    }
    auto waited = std::make_shared<Recording>(stream.errors());
    ACLQ_RETURN_IF_FAILED(stream.submit(std::make_unique<WaitTask>(std::move(recording), waited, timeoutMs)));
    const std::lock_guard lock(mutex_);
    lastWait_ = std::move(waited);
    return ACL_SUCCESS;
}

aclError Event::reset(Stream& stream) {
    if (external()) {
        return stream.submit(std::make_unique<ExternalSetTask>(external_, false));
    }
    if (const CapturePart part = stream.capture(); part.graph != nullptr) {
        ACLQ_RETURN_IF_FAILED(refuseInCapture(part));
        // Each replay starts with the events of the graph unset.
        return recordNode(part, std::make_shared<MarkTask>("aclrtResetEvent"), -1, nullptr);
    }
    if (recordableAgain || (flags & ACL_EVENT_SYNC) == 0) {
        return fail(ACL_ERROR_RT_PARAM_INVALID,
                    "only events made by aclrtCreateEventWithFlag with ACL_EVENT_SYNC can be reset");
    }
    ACLQ_RETURN_IF_FAILED(stream.synchronize(-1));
    const std::lock_guard lock(mutex_);
    recording_.reset();
    lastWait_.reset();
    return ACL_SUCCESS;
}

aclError Event::synchronize(std::int32_t timeoutMs) {
    if (external()) {
        return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                    "argument 'event': got an event with the flag ACL_EVENT_EXTERNAL; allowed: one without, or let a "
                    "stream wait for it and synchronise that");
    }
    ACLQ_RETURN_IF_FAILED(refuseWhileCaptured("be waited for here"));
    const std::shared_ptr<Recording> recording = latest();
    if (!recording) {
        return ACL_SUCCESS;
    }
    if (!recording->wait(timeoutMs)) {
        return fail(ACL_ERROR_RT_EVENT_SYNC_TIMEOUT, text("the event is not complete after %d ms", timeoutMs));
    }
    if (const std::optional<AsyncError> error = recording->errors().take()) {
        return failAgain(error->code, error->line);
    }
    return ACL_SUCCESS;
}

bool Event::recorded() const {
    if (external()) {
        return *external_;
    }
    const std::shared_ptr<Recording> recording = latest();
    return recording ? recording->done() : recordableAgain;
}

bool Event::waited() const {
    const std::lock_guard lock(mutex_);
    return !lastWait_ || lastWait_->done();
}

std::shared_ptr<Recording> Event::latest() const {
    const std::lock_guard lock(mutex_);
    return recording_;
}

}  // namespace aclq
