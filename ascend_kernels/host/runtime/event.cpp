// SPDX-License-Identifier: Apache-2.0
#include "runtime/event.h"

#include <atomic>
#include <chrono>

#include "runtime/status.h"

namespace aclq {
namespace {

std::atomic<std::uint32_t> waitTimeoutSeconds{0};

class RecordTask : public Task {
  public:
    explicit RecordTask(std::shared_ptr<Capture> capture) : capture_(std::move(capture)) {}
    std::optional<AsyncError> run() override {
        capture_->finish();
        return std::nullopt;
    }
    bool isSmall() const override { return true; }
    bool suitsWaiters() const override { return true; }
    void drop() override { capture_->finish(); }

  private:
    const std::shared_ptr<Capture> capture_;
};

class WaitTask : public Task {
  public:
    WaitTask(std::shared_ptr<Capture> capture, std::shared_ptr<Capture> waited, std::int64_t timeoutMs)
        : capture_(std::move(capture)), waited_(std::move(waited)), timeoutMs_(timeoutMs) {}
    std::optional<AsyncError> run() override {
        const bool passed = capture_->wait(timeoutMs_, &interrupted_);
        waited_->finish();
        if (!passed) {
            return AsyncError{
                ACL_ERROR_RT_EVENT_SYNC_TIMEOUT,
                errorLine(ACL_ERROR_RT_EVENT_SYNC_TIMEOUT, "aclrtStreamWaitEvent",
                          text("the event was not recorded within %lld ms", static_cast<long long>(timeoutMs_)))};
        }
        return std::nullopt;
    }
    bool isSmall() const override { return capture_->done(); }
    bool suitsWaiters() const override { return capture_->done(); }
    void drop() override { waited_->finish(); }
    void interrupt() override {
        interrupted_ = true;
        capture_->wake();
    }

  private:
    const std::shared_ptr<Capture> capture_;
    const std::shared_ptr<Capture> waited_;
    const std::int64_t timeoutMs_;
    std::atomic<bool> interrupted_{false};
};

}  // namespace

void setWaitTimeoutSeconds(std::uint32_t seconds) {
    waitTimeoutSeconds = seconds;
}

void Capture::finish() {
    const std::lock_guard lock(mutex_);
    nanoseconds_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
    done_ = true;
    passed_.notify_all();
}

bool Capture::done() const {
    const std::lock_guard lock(mutex_);
    return done_;
}

bool Capture::wait(std::int64_t timeoutMs, const std::atomic<bool>* giveUp) const {
    std::unique_lock lock(mutex_);
    const auto over = [&] { return done_ || (giveUp != nullptr && *giveUp); };
    if (timeoutMs < 0) {
        passed_.wait(lock, over);
        return true;
    }
    return passed_.wait_for(lock, std::chrono::milliseconds(timeoutMs), over);
}

void Capture::wake() const {
    const std::lock_guard lock(mutex_);
    passed_.notify_all();
}

std::uint64_t Capture::nanoseconds() const {
    const std::lock_guard lock(mutex_);
    return nanoseconds_;
}

aclError Event::record(Stream& stream) {
    auto capture = std::make_shared<Capture>(stream.errors());
    {
        const std::lock_guard lock(mutex_);
        capture_ = capture;
    }
    return stream.submit(std::make_unique<RecordTask>(std::move(capture)));
}

aclError Event::makeWait(Stream& stream, std::int64_t timeoutMs) {
    std::shared_ptr<Capture> capture;
    auto waited = std::make_shared<Capture>(stream.errors());
    {
        const std::lock_guard lock(mutex_);
        capture = capture_;
        if (capture) {
            lastWait_ = waited;
        }
    }
    if (!capture) {
        return ACL_SUCCESS;  // nothing was recorded: there is nothing to wait for
    }
    const std::uint32_t limit = waitTimeoutSeconds;
    if (timeoutMs < 0 && limit > 0) {
        timeoutMs = std::int64_t{limit} * 1000;
    }
    return stream.submit(std::make_unique<WaitTask>(std::move(capture), std::move(waited), timeoutMs));
}

aclError Event::reset(Stream& stream) {
    if (recordableAgain || (flags & ACL_EVENT_SYNC) == 0) {
        return fail(ACL_ERROR_RT_PARAM_INVALID,
                    "only events made by aclrtCreateEventWithFlag with ACL_EVENT_SYNC can be reset");
    }
    ACLQ_RETURN_IF_FAILED(stream.synchronize(-1));
    const std::lock_guard lock(mutex_);
    capture_.reset();
    lastWait_.reset();
    return ACL_SUCCESS;
}

aclError Event::synchronize(std::int32_t timeoutMs) {
    const std::shared_ptr<Capture> capture = latest();
    if (!capture) {
        return ACL_SUCCESS;
    }
    if (!capture->wait(timeoutMs)) {
        return fail(ACL_ERROR_RT_EVENT_SYNC_TIMEOUT, text("the event is not complete after %d ms", timeoutMs));
    }
    if (const std::optional<AsyncError> error = capture->errors().take()) {
        return failAgain(error->code, error->line);
    }
    return ACL_SUCCESS;
}

bool Event::recorded() const {
    const std::shared_ptr<Capture> capture = latest();
    return capture ? capture->done() : recordableAgain;
}

bool Event::waited() const {
    const std::lock_guard lock(mutex_);
    return !lastWait_ || lastWait_->done();
}

std::shared_ptr<Capture> Event::latest() const {
    const std::lock_guard lock(mutex_);
    return capture_;
}

}  // namespace aclq
