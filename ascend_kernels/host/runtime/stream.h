// SPDX-License-Identifier: Apache-2.0
// A stream: tasks in order, run by a worker thread of its own, by the caller when the stream is idle and the task
// small, or by who waits for the stream.
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

// What a captured graph has to know of a task.
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
    // How much memory it works on.
    virtual std::uint64_t bytes() const { return 0; }
    // True for work so short that waking a worker would cost more than doing it.
    virtual bool isSmall() const { return false; }
    // True for work that whoever waits for the stream may do as well: it has a processor and warm caches, a worker has
    // to be woken first.
    virtual bool suitsWaiters() const { return false; }
    // What happens when the stream drops the task: nothing may wait for it for ever.
    virtual void drop() {}
    // Ends a run in another thread that may last for ever; called when the stream is aborted.
    virtual void interrupt() {}
};

// While one lives, its thread waits for that stream (null: for none) right after it has given it work: no worker need
// be woken for it.
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

    // Awaited: becomes ready with the task, for which the caller waits; it does what suits waiters until then.
    aclError submit(std::unique_ptr<Task> task, const std::future<void>* awaited = nullptr);
    // Runs a small task at once if the stream is idle, without making it an object of the heap; false if it must be
    // submitted.
    bool tryRun(Task& task);
    // While there is one, tasks are recorded in it and do not run.
    CapturePart capture() const;
    bool capturing() const { return capturing_; }
    void setCapture(CapturePart part);
    // While there is one, kernels replace tasks of a captured graph and do not run.
    std::shared_ptr<TaskUpdate> update() const;
    void setUpdate(std::shared_ptr<TaskUpdate> update);

    // Waits for everything submitted so far, then reports the first error. timeoutMs < 0: for ever, doing the work
    // meanwhile.
    aclError synchronize(std::int32_t timeoutMs);
    bool idle() const;
    // Whether a task of the stream called the caller.
    bool inTask() const;
    // Drops the tasks that have not begun; waiting threads get 107023.
    void abort();
    // Waits for the tasks (or drops them) and ends the worker.
    void close(bool dropTasks);

    void stall();
    void resume();
    // Every task waits so long before it runs, in the worker, however small it is; 0 for none.
    void delay(std::uint64_t microseconds);
    std::uint64_t queued() const;

    // Whoever uses the stream without owning it, while another thread may destroy it, is a visitor: close() waits.
    void enter() { visitors_.fetch_add(1); }
    void leave() { visitors_.fetch_sub(1); }

    const std::shared_ptr<ErrorSlot>& errors() const { return errors_; }

    Context* const context;
    const std::int32_t id;
    std::atomic<std::uint32_t> priority;
    const std::uint32_t flags;
    // Overflow mode of the device when the stream was made: saturate, or infinities and NaN.
    const bool saturate;
    std::atomic<bool> stopOnFailure{false};
    std::atomic<bool> failureModeSet{false};
    std::atomic<std::uint32_t> overflowSwitch{0};
    // Kept for clients that ask for them; nothing here depends on them.
    std::atomic<std::uint32_t> customTag{0};
    std::atomic<std::uint32_t> cacheOpInfo{0};

  private:
    void work();
    // False if the machine gives no thread.
    bool startWorker();
    // Whether the calling thread is running a task of this stream: it cannot wait for the stream.
    bool runsHere() const { return running_ && runner_ == std::this_thread::get_id(); }
    // Whether a small task may run in the calling thread now.
    bool ready() const { return queue_.empty() && !running_ && !stalled_ && delay_.count() == 0; }
    // Whether who waits may run the next task.
    bool helpful() const {
        return !running_ && !queue_.empty() && !stalled_ && delay_.count() == 0 && queue_.front()->suitsWaiters();
    }
    // Does what suits waiters, in the calling thread, which waits until done().
    template <class Done>
    void help(std::unique_lock<std::mutex>& lock, Done&& done);
    void leaveToWorker();
    void runNext(std::unique_lock<std::mutex>& lock);
    void runOne(std::unique_lock<std::mutex>& lock, Task& task, std::unique_ptr<Task> owner);

    const std::shared_ptr<ErrorSlot> errors_ = std::make_shared<ErrorSlot>();
    mutable std::mutex mutex_;
    std::condition_variable wake_;   // for the worker
    std::condition_variable moved_;  // for those who wait on the stream
    std::deque<std::unique_ptr<Task>> queue_;
    std::thread worker_;
    std::uint64_t aborts_ = 0;
    std::atomic<std::uint32_t> visitors_{0};
    bool running_ = false;
    Task* current_ = nullptr;  // what runs
    std::thread::id runner_;   // and where
    CapturePart capture_;
    std::atomic<bool> capturing_{false};  // whether there is a graph in it, to be asked in every call
    std::shared_ptr<TaskUpdate> update_;
    bool stalled_ = false;
    std::chrono::microseconds delay_{0};
    bool closing_ = false;
};

}  // namespace aclq
