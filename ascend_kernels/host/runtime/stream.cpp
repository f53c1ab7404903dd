// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <system_error>
#include <utility>

#include "runtime/captured_graph.h"
#include "runtime/device.h"
#include "runtime/exceptions.h"
#include "runtime/status.h"

namespace aclq {
namespace {

// At this length a launch waits, as on a chip whose task queue is full, so that queued work stays bounded.
constexpr std::size_t kQueueLimit = 1024;

}  // namespace

constinit thread_local const void* WaitsAtOnce::expected = nullptr;

void ErrorSlot::set(AsyncError error) {
    const std::lock_guard lock(mutex_);
    if (!first_) {
        first_ = std::move(error);
    }
}

std::optional<AsyncError> ErrorSlot::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(first_, std::nullopt);
}

bool ErrorSlot::pending() const {
    const std::lock_guard lock(mutex_);
    return first_.has_value();
}

Stream::Stream(Context* owner, std::int32_t streamId, std::uint32_t streamPriority, std::uint32_t streamFlags,
               bool saturates, std::uint64_t delay)
    : context(owner), id(streamId), priority(streamPriority), flags(streamFlags), saturate(saturates), delay_(delay) {}

Stream::~Stream() {
    close(true);
}

aclError Stream::submit(std::unique_ptr<Task> task, const std::future<void>* awaited) {
    std::unique_lock lock(mutex_);
    if (capturing_ || update_ != nullptr) {
        const CapturePart part = capture_;
        const std::shared_ptr<TaskUpdate> update = update_;
        lock.unlock();
        return update != nullptr ? replaceTask(*update, std::move(task)) : recordTask(part, std::move(task));
    }
    if (stopOnFailure && errors_->pending()) {
        task->drop();
        return fail(
            ACL_ERROR_RT_STREAM_ABORT,
            "an earlier task of this stream failed and the stream stops on failure; synchronise to see the error");
    }
    if (ready() && task->isSmall()) {
        Task& small = *task;
        runOne(lock, small, std::move(task));
        leaveToWorker();
        return ACL_SUCCESS;
    }
    if (stalled_ && queue_.size() >= kQueueLimit) {
        task->drop();
        return fail(ACL_ERROR_RT_STREAM_TASK_FULL,
                    text("the stream is stalled and %zu tasks are queued", queue_.size()));
    }
    if (queue_.size() >= kQueueLimit && runsHere()) {
        task->drop();
        return fail(
            ACL_ERROR_RT_STREAM_TASK_FULL,
            text("%zu tasks are queued, and the task that is running in this thread holds them up", queue_.size()));
    }
    moved_.wait(lock, [&] { return queue_.size() < kQueueLimit || closing_; });
    if (!worker_.joinable() && !startWorker()) {
        if (!stalled_ && queue_.empty() && !running_ && task->suitsWaiters()) {
            Task& alone = *task;
            runOne(lock, alone, std::move(task));
            return ACL_SUCCESS;
        }
        task->drop();
        return fail(ACL_ERROR_RT_RESOURCE_ALLOC_FAIL,
                    "the system gives no thread for the stream's work; nothing was queued. Raise the limit of threads "
                    "(ulimit -u, the container's pids limit), or end threads and streams");
    }
    queue_.push_back(std::move(task));
    if (awaited != nullptr) {
        help(lock, [&] { return awaited->wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    } else if (WaitsAtOnce::expected != this) {
        wake_.notify_one();
    }
    return ACL_SUCCESS;
}

bool Stream::startWorker() {
    try {
        worker_ = std::thread([this] { work(); });
    } catch (const std::system_error&) {
        return false;
    }
    pthread_setname_np(worker_.native_handle(), "aclquant stream");
    return true;
}

CapturePart Stream::capture() const {
    if (!capturing_) {
        return {};
    }
    const std::lock_guard lock(mutex_);
    return capture_;
}

void Stream::setCapture(CapturePart part) {
    const std::lock_guard lock(mutex_);
    capture_ = std::move(part);
    capturing_ = capture_.graph != nullptr;
}

std::shared_ptr<TaskUpdate> Stream::update() const {
    const std::lock_guard lock(mutex_);
    return update_;
}

void Stream::setUpdate(std::shared_ptr<TaskUpdate> update) {
    const std::lock_guard lock(mutex_);
    update_ = std::move(update);
}

bool Stream::tryRun(Task& task) {
    std::unique_lock lock(mutex_);
    if (capturing_ || update_ != nullptr || !ready() || !task.isSmall() || (stopOnFailure && errors_->pending())) {
        return false;
    }
    runOne(lock, task, nullptr);
    leaveToWorker();
    return true;
}

void Stream::runOne(std::unique_lock<std::mutex>& lock, Task& task, std::unique_ptr<Task> owner) {
    running_ = true;
    runner_ = std::this_thread::get_id();
    current_ = &task;
    const std::uint32_t number = ++begun_;
    lock.unlock();
    std::optional<AsyncError> error;
    if (stopOnFailure && errors_->pending()) {
        task.drop();
    } else {
        try {
            error = task.run();
        } catch (const std::exception& exception) {
            error = AsyncError{ACL_ERROR_RT_INTERNAL_ERROR,
                               errorLine(ACL_ERROR_RT_INTERNAL_ERROR, "task", exception.what())};
        }
    }
    if (error) {
        const auto code = static_cast<std::uint32_t>(error->code);
        errors_->set(std::move(*error));
        tellException({number, static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(syscall(SYS_gettid)),
                       static_cast<std::uint32_t>(context->device), code});
    }
    lock.lock();
    current_ = nullptr;
    if (owner != nullptr) {
        lock.unlock();
        owner.reset();  // outside the lock, because it may wake other threads
        lock.lock();
    }
    running_ = false;
    moved_.notify_all();
}

// Called by threads that ran a task in the worker's place: updates the state that the worker does not see.
void Stream::leaveToWorker() {
    if (!running_ && (!queue_.empty() || closing_)) {
        wake_.notify_one();
    }
}

void Stream::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [&] { return !running_ && ((!queue_.empty() && !stalled_) || (closing_ && queue_.empty())); });
        if (queue_.empty()) {
            return;
        }
        if (delay_.count() > 0) {
            wake_.wait_for(lock, delay_, [&] { return queue_.empty() || delay_.count() == 0; });
            if (queue_.empty() || running_ || stalled_) {
                continue;
            }
        }
        runNext(lock);
    }
}

void Stream::runNext(std::unique_lock<std::mutex>& lock) {
    std::unique_ptr<Task> task = std::move(queue_.front());
    queue_.pop_front();
    Task& next = *task;
    runOne(lock, next, std::move(task));
}

template <class Done>
void Stream::help(std::unique_lock<std::mutex>& lock, Done&& done) {
    while (!done() && helpful()) {
        runNext(lock);
    }
    leaveToWorker();
}

aclError Stream::synchronize(std::int32_t timeoutMs) {
    {
        std::unique_lock lock(mutex_);
        if (runsHere()) {
            return fail(ACL_ERROR_RT_STREAM_NOT_COMPLETE,
                        "a function that the stream runs waits for the stream, which would never end; wait for it in "
                        "another thread, or after the function has returned");
        }
        const std::uint64_t aborts = aborts_;
        const auto settled = [&] { return (queue_.empty() && !running_) || aborts_ != aborts; };
        if (timeoutMs < 0) {
            help(lock, settled);
            moved_.wait(lock, settled);
        } else if (!moved_.wait_for(lock, std::chrono::milliseconds(timeoutMs), settled)) {
            return fail(ACL_ERROR_RT_STREAM_SYNC_TIMEOUT, text("the stream still has work after %d ms", timeoutMs));
        }
        if (aborts_ != aborts) {
            return fail(ACL_ERROR_RT_STREAM_ABORT, "the stream was aborted");
        }
    }
    if (const std::optional<AsyncError> error = errors_->take()) {
        return failAgain(error->code, error->line);
    }
    return ACL_SUCCESS;
}

bool Stream::inTask() const {
    const std::lock_guard lock(mutex_);
    return runsHere();
}

bool Stream::idle() const {
    const std::lock_guard lock(mutex_);
    return queue_.empty() && !running_;
}

std::uint64_t Stream::queued() const {
    const std::lock_guard lock(mutex_);
    return queue_.size() + (running_ ? 1 : 0);
}

void Stream::abort() {
    std::deque<std::unique_ptr<Task>> dropped;
    {
        const std::lock_guard lock(mutex_);
        dropped.swap(queue_);
        if (current_ != nullptr) {
            current_->interrupt();
        }
        ++aborts_;
        wake_.notify_all();
        moved_.notify_all();
    }
    for (const std::unique_ptr<Task>& task : dropped) {
        task->drop();
    }
}

void Stream::close(bool dropTasks) {
    if (dropTasks) {
        abort();
    }
    {
        std::unique_lock lock(mutex_);
        closing_ = true;
        stalled_ = false;
        wake_.notify_all();
        moved_.wait(lock, [&] { return queue_.empty() && !running_; });
    }
    if (worker_.joinable()) {
        worker_.join();
    }
    while (visitors_.load() != 0) {
        std::this_thread::yield();  // their wait is already satisfied
    }
}

void Stream::stall() {
    const std::lock_guard lock(mutex_);
    stalled_ = true;
}

void Stream::delay(std::uint64_t microseconds) {
    const std::lock_guard lock(mutex_);
    delay_ = std::chrono::microseconds(microseconds);
    wake_.notify_all();
}

void Stream::resume() {
    const std::lock_guard lock(mutex_);
    stalled_ = false;
    wake_.notify_all();
}

}  // namespace aclq
