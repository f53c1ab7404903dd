// SPDX-License-Identifier: Apache-2.0
#include "runtime/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/environment.h"
#include "runtime/float_environment.h"
#include "runtime/per_process.h"

namespace aclq {
namespace {

constexpr std::uint32_t kMaxThreads = 256;
// Parts per thread: enough that one slow thread does not hold up the rest.
constexpr std::int64_t kPartsPerThread = 16;

std::uint32_t defaultCount() {
    cpu_set_t allowed;
    const int processors = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    const std::uint32_t all = std::clamp(static_cast<std::uint32_t>(processors), 1U, kMaxThreads);
    return static_cast<std::uint32_t>(numberFrom("ACLQUANT_HOST_THREADS", 1, kMaxThreads, all));
}

// One job at a time. A caller that finds the pool busy does its work alone. Threads start with the first large job.
class Pool {
  public:
    void run(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body) {
        const std::unique_lock busy(busy_, std::try_to_lock);
        const std::int64_t helpers =
            busy.owns_lock() ? std::min<std::int64_t>(size_ - 1, count / std::max<std::int64_t>(grain, 1) - 1) : 0;
        if (helpers < 1) {
            body(0, count);
            return;
        }
        start(static_cast<std::size_t>(helpers));
        keepOffThisProcessor(static_cast<std::size_t>(helpers));
        const std::int64_t part = std::max(grain, count / ((helpers + 1) * kPartsPerThread) + 1);
        {
            const std::lock_guard lock(mutex_);
            body_ = &body;
            count_ = count;
            part_ = part;
            next_.store(0);
            wanted_ = static_cast<std::size_t>(helpers);
            ++job_;
        }
        wake_.notify_all();
        work(count, part, body);
        std::exception_ptr failure;
        {
            std::unique_lock lock(mutex_);
            wanted_ = 0;  // threads that have not joined yet are not needed
            done_.wait(lock, [&] { return working_ == 0; });
            body_ = nullptr;
            failure = std::exchange(failure_, nullptr);
        }
        if (failure != nullptr) {
            std::rethrow_exception(failure);
        }
    }

    void resize(std::uint32_t count) { size_ = std::clamp(count, 1U, kMaxThreads); }
    std::uint32_t size() const { return size_; }

  private:
    void start(std::size_t helpers) {
        while (threads_.size() < helpers) {
            try {
                threads_.reserve(threads_.size() + 1);
                std::thread thread([this] { serve(); });
                threads_.push_back(thread.native_handle());
                thread.detach();
                pthread_setname_np(threads_.back(), "aclquant pool");
            } catch (const std::exception&) {
                return;  // no more threads or memory: the existing threads do the work
            }
        }
    }

    // The thread that runs the kernel (a stream's worker, or a thread that waits for the stream) works as well, so its
    // processor is busy. In virtual machines Linux may wake pool threads there although another processor is idle. So
    // pool threads may use the processors of this thread except its current one, unless all are needed. This takes one
    // system call per thread, but only after this thread has moved.
    void keepOffThisProcessor(std::size_t helpers) {
        cpu_set_t allowed;
        const int here = sched_getcpu();
        if (here < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
            return;
        }
        if (static_cast<std::size_t>(CPU_COUNT(&allowed)) > helpers) {
            CPU_CLR(static_cast<std::size_t>(here), &allowed);
        }
        if (!CPU_EQUAL(&allowed, &allowed_)) {
            placed_ = 0;
            allowed_ = allowed;
        }
        for (; placed_ < threads_.size(); ++placed_) {
            pthread_setaffinity_np(threads_[placed_], sizeof allowed, &allowed);
        }
    }

    void serve() {
        std::uint64_t seen = 0;
        std::unique_lock lock(mutex_);
        while (true) {
            wake_.wait(lock, [&] { return job_ != seen && wanted_ > 0; });
            seen = job_;
            --wanted_;
            ++working_;
            const std::int64_t count = count_;
            const std::int64_t part = part_;
            const std::function<void(std::int64_t, std::int64_t)>& body = *body_;
            lock.unlock();
            {
                const FloatEnvironment environment;
                work(count, part, body);
            }
            lock.lock();
            --working_;
            if (working_ == 0) {
                done_.notify_all();
            }
        }
    }

    void work(std::int64_t count, std::int64_t part, const std::function<void(std::int64_t, std::int64_t)>& body) {
        try {
            for (std::int64_t begin = next_.fetch_add(part); begin < count; begin = next_.fetch_add(part)) {
                body(begin, std::min(begin + part, count));
            }
        } catch (...) {
            next_.store(count);  // parts that have not started are skipped
            const std::lock_guard lock(mutex_);
            failure_ = std::current_exception();
        }
    }

    std::atomic<std::uint32_t> size_{defaultCount()};
    std::mutex busy_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<pthread_t> threads_;  // detached: they live as long as the process
    cpu_set_t allowed_{};             // where the first `placed_` threads may run
    std::size_t placed_ = 0;
    const std::function<void(std::int64_t, std::int64_t)>* body_ = nullptr;
    std::int64_t count_ = 0;
    std::int64_t part_ = 0;
    std::atomic<std::int64_t> next_{0};
    std::size_t wanted_ = 0;
    std::size_t working_ = 0;
    std::uint64_t job_ = 0;
    std::exception_ptr failure_;  // thrown by the job's body
};

Pool* makePool() {
    return new Pool;
}
Pool& pool() {
    return PerProcess<Pool, makePool>::get();
}

}  // namespace

void shareOut(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body) {
    pool().run(count, grain, body);
}

void setThreadCount(std::uint32_t count) {
    pool().resize(count);
}
std::uint32_t threadCount() {
    return pool().size();
}

}  // namespace aclq
