// SPDX-License-Identifier: Apache-2.0
#include "runtime/callbacks.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "runtime/per_process.h"
#include "runtime/status.h"

namespace aclq {
namespace {

// A callback on its way: from the stream to the thread, and back if the stream waits for it.
struct Call {
    aclrtCallback function;
    void* data;
    bool over = false;
};

// The pending callbacks of a thread, for all streams it is subscribed to.
struct Reports {
    std::deque<std::shared_ptr<Call>> waiting;
    std::uint32_t streams = 0;
};

struct Subscriptions {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::uint64_t, Reports> threads;
    std::map<std::int32_t, std::uint64_t> streams;  // by number, which is never reused
};

Subscriptions* make() {
    return new Subscriptions;
}
Subscriptions& subscriptions() {
    return PerProcess<Subscriptions, make>::get();
}

class CallbackTask : public Task {
  public:
    CallbackTask(aclrtCallback function, void* data, bool block, std::int32_t stream)
        : function_(function), data_(data), block_(block), stream_(stream) {}

    std::optional<AsyncError> run() override {
        Subscriptions& all = subscriptions();
        const auto call = std::make_shared<Call>(Call{function_, data_});
        std::unique_lock lock(all.mutex);
        const auto found = all.streams.find(stream_);
        if (found == all.streams.end()) {
            return AsyncError{
                ACL_ERROR_RT_STREAM_NO_CB_REG,
                errorLine(ACL_ERROR_RT_STREAM_NO_CB_REG, name(),
                          text("the thread of stream %d was unsubscribed before the callback ran", stream_))};
        }
        all.threads[found->second].waiting.push_back(call);
        all.changed.notify_all();
        if (block_) {
            all.changed.wait(lock, [&] { return call->over || interrupted_ || all.streams.count(stream_) == 0; });
        }
        return std::nullopt;
    }
    void interrupt() override {
        const std::lock_guard lock(subscriptions().mutex);
        interrupted_ = true;
        subscriptions().changed.notify_all();
    }
    TaskKind kind() const override { return TaskKind::HostFunction; }
    const char* name() const override { return "aclrtLaunchCallback"; }

  private:
    const aclrtCallback function_;
    void* const data_;
    const bool block_;
    const std::int32_t stream_;
    bool interrupted_ = false;
};

}  // namespace

aclError subscribeReport(std::uint64_t thread, Stream& stream) {
    Subscriptions& all = subscriptions();
    const std::lock_guard lock(all.mutex);
    if (all.streams.count(stream.id) != 0) {
        return fail(ACL_ERROR_RT_STREAM_SUBSCRIBE,
                    text("stream %d has a thread already; call aclrtUnSubscribeReport first", stream.id));
    }
    ++all.threads[thread].streams;
    all.streams[stream.id] = thread;
    return ACL_SUCCESS;
}

aclError unsubscribeReport(std::uint64_t thread, Stream& stream) {
    Subscriptions& all = subscriptions();
    const std::lock_guard lock(all.mutex);
    const auto found = all.streams.find(stream.id);
    if (found == all.streams.end() || found->second != thread) {
        return fail(ACL_ERROR_RT_THREAD_SUBSCRIBE, text("thread %llu is not subscribed to stream %d",
                                                        static_cast<unsigned long long>(thread), stream.id));
    }
    all.streams.erase(found);
    if (--all.threads[thread].streams == 0) {
        all.threads.erase(thread);
    }
    all.changed.notify_all();
    return ACL_SUCCESS;
}

aclError launchCallback(aclrtCallback function, void* data, bool block, Stream& stream) {
    {
        Subscriptions& all = subscriptions();
        const std::lock_guard lock(all.mutex);
        if (all.streams.count(stream.id) == 0) {
            return fail(ACL_ERROR_RT_STREAM_NO_CB_REG,
                        text("stream %d has no thread for callbacks; call aclrtSubscribeReport first", stream.id));
        }
    }
    return stream.submit(std::make_unique<CallbackTask>(function, data, block, stream.id));
}

aclError processReport(std::int32_t timeoutMs) {
    Subscriptions& all = subscriptions();
    const auto self = static_cast<std::uint64_t>(pthread_self());
    std::shared_ptr<Call> call;
    {
        std::unique_lock lock(all.mutex);
        if (all.threads.count(self) == 0) {
            return fail(ACL_ERROR_RT_THREAD_SUBSCRIBE,
                        "the calling thread is not subscribed to a stream; call aclrtSubscribeReport first");
        }
        const auto settled = [&] {
            const auto found = all.threads.find(self);
            return found == all.threads.end() || !found->second.waiting.empty();
        };
        if (timeoutMs < 0) {
            all.changed.wait(lock, settled);
        } else if (!all.changed.wait_for(lock, std::chrono::milliseconds(timeoutMs), settled)) {
            return fail(ACL_ERROR_RT_REPORT_TIMEOUT, text("no callback came within %d ms", timeoutMs));
        }
        const auto found = all.threads.find(self);
        if (found == all.threads.end()) {
            return fail(ACL_ERROR_RT_THREAD_SUBSCRIBE, "the calling thread was unsubscribed while it waited");
        }
        call = std::move(found->second.waiting.front());
        found->second.waiting.pop_front();
    }
    call->function(call->data);
    const std::lock_guard lock(all.mutex);
    call->over = true;
    all.changed.notify_all();
    return ACL_SUCCESS;
}

}  // namespace aclq
