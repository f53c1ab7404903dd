// SPDX-License-Identifier: Apache-2.0
// A stream: tasks in order. They run in the stream's worker thread, in the calling thread if the stream is idle and the
// task small, or in a thread that waits for the stream.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "acl/acl_rt.h"

namespace aclq {

struct Context;
class CapturedGraph;
struct TaskUpdate;

// A stream's place in the graph that is being captured from it.
struct CapturePart {
    std::shared_ptr<CapturedGraph> graph;
    std::size_t lane = 0;
};

struct AsyncError {
    int code = 0;
    std::string line;
};

// The first error of a stream since it was last reported. Shared with the events recorded on the stream.
class ErrorSlot {
  public:
    void set(AsyncError error);
    std::optional<AsyncError> take();
    bool pending() const;

  private:
    mutable std::mutex mutex_;
    std::optional<AsyncError> first_;
};

// The properties of a task that a captured graph needs.
enum class TaskKind { Kernel, Copy, Event, Value, HostFunction, Other };

class Task {
  public:
    virtual ~Task() = default;
    virtual std::optional<AsyncError> run() = 0;
    // The same as part of a captured graph, any number of times.
    virtual std::optional<AsyncError> replay() { return run(); }
    // False while a replay would have to wait for something outside the graph.
    virtual bool readyToReplay() const { return true; }
    virtual TaskKind kind() const { return TaskKind::Other; }
    // For messages and traces: the function whose work this is.
    virtual const char* name() const { return ""; }
    // The amount of memory it works on.
    virtual std::uint64_t bytes() const { return 0; }
    // True for work so short that waking a worker would cost more than doing it.
    virtual bool isSmall() const { return false; }
    // True for work that a thread waiting for the stream may do: it has a processor and warm caches, while a worker
    // must be woken first.
    virtual bool suitsWaiters() const { return false; }
    // Called when the stream drops the task, so that nothing waits for it forever.
    virtual void drop() {}
    // Ends an unlimited run in another thread; called when the stream is aborted.
    virtual void interrupt() {}
};

// While one lives, its thread waits for that stream (null: for no stream) right after submitting work, so the worker
// need not be woken.
class WaitsAtOnce {
  public:
    explicit WaitsAtOnce(const void* stream) { expected = stream; }
    ~WaitsAtOnce() { expected = nullptr; }
    WaitsAtOnce(const WaitsAtOnce&) = delete;
    WaitsAtOnce& operator=(const WaitsAtOnce&) = delete;

    static constinit thread_local const void* expected;
};

class Stream {
  public:
    Stream(Context* context, std::int32_t id, std::uint32_t priority, std::uint32_t flags, bool saturate,
           std::uint64_t delay);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // Awaited: becomes ready with the task. The caller waits for it, and meanwhile runs tasks that suit waiters.
    aclError submit(std::unique_ptr<Task> task, const std::future<void>* awaited = nullptr);
    // Runs a small task at once if the stream is idle, without a heap allocation; false if it must be
    // submitted.
    bool tryRun(Task& task);
    // While set, tasks are recorded in it and do not run.
    CapturePart capture() const;
    bool capturing() const { return capturing_; }
    void setCapture(CapturePart part);
    // While set, kernels replace tasks of a captured graph and do not run.
    std::shared_ptr<TaskUpdate> update() const;
    void setUpdate(std::shared_ptr<TaskUpdate> update);

    // Waits for everything submitted so far, then reports the first error. timeoutMs < 0: without limit, and the
    // caller runs tasks meanwhile.
    aclError synchronize(std::int32_t timeoutMs);
    bool idle() const;
    // Whether the caller runs inside a task of this stream.
    bool inTask() const;
    // Drops the tasks that have not started; waiting threads get 107023.
    void abort();
    // Waits for the tasks (or drops them) and ends the worker.
    void close(bool dropTasks);

    void stall();
    void resume();
    // Every task, however small, waits this long in the worker before it runs; 0: no delay.
    void delay(std::uint64_t microseconds);
    std::uint64_t queued() const;

    // A visitor uses the stream without owning it while another thread may destroy it; close() waits for visitors.
    void enter() { visitors_.fetch_add(1); }
    void leave() { visitors_.fetch_sub(1); }

    const std::shared_ptr<ErrorSlot>& errors() const { return errors_; }

    Context* const context;
    const std::int32_t id;
    std::atomic<std::uint32_t> priority;
    const std::uint32_t flags;
    // Overflow mode of the device when the stream was created: saturate, or infinities and NaN.
    const bool saturate;
    std::atomic<bool> stopOnFailure{false};
    std::atomic<bool> failureModeSet{false};
    std::atomic<std::uint32_t> overflowSwitch{0};
    // Kept for clients that query them; the stream does not use them.
    std::atomic<std::uint32_t> customTag{0};
    std::atomic<std::uint32_t> cacheOpInfo{0};

  private:
    void work();
    // False if the system gives no thread.
    bool startWorker();
    // Whether the calling thread is running a task of this stream: it cannot wait for the stream.
    bool runsHere() const { return running_ && runner_ == std::this_thread::get_id(); }
    // Whether a small task may run in the calling thread now.
    bool ready() const { return queue_.empty() && !running_ && !stalled_ && delay_.count() == 0; }
    // Whether a waiting thread may run the next task.
    bool helpful() const {
        return !running_ && !queue_.empty() && !stalled_ && delay_.count() == 0 && queue_.front()->suitsWaiters();
    }
    // Runs tasks that suit waiters in the calling thread, until done().
    template <class Done>
    void help(std::unique_lock<std::mutex>& lock, Done&& done);
    void leaveToWorker();
    void runNext(std::unique_lock<std::mutex>& lock);
    void runOne(std::unique_lock<std::mutex>& lock, Task& task, std::unique_ptr<Task> owner);

    const std::shared_ptr<ErrorSlot> errors_ = std::make_shared<ErrorSlot>();
    mutable std::mutex mutex_;
    std::condition_variable wake_;   // for the worker
    std::condition_variable moved_;  // for threads that wait on the stream
    std::deque<std::unique_ptr<Task>> queue_;
    std::thread worker_;
    std::uint64_t aborts_ = 0;
    std::uint32_t begun_ = 0;  // tasks that have begun
    std::atomic<std::uint32_t> visitors_{0};
    bool running_ = false;
    Task* current_ = nullptr;  // the running task
    std::thread::id runner_;   // and its thread
    CapturePart capture_;
    std::atomic<bool> capturing_{false};  // whether a graph is being captured; read in every call
    std::shared_ptr<TaskUpdate> update_;
    bool stalled_ = false;
    std::chrono::microseconds delay_{0};
    bool closing_ = false;
};

}  // namespace aclq
