// SPDX-License-Identifier: Apache-2.0
// Phase 2: addresses are read, checked and put on the stream with the work.
#include "meta/executor.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include "meta/pools.h"
#include "runtime/device.h"
#include "runtime/float_environment.h"
#include "runtime/per_process.h"
#include "runtime/status.h"

namespace aclq {
namespace {

Pools* makePools() {
    return new Pools;
}

// Work below this many bytes runs in the calling thread when the stream is idle.
constexpr std::uint64_t kSmallBytes = 256 * 1024;

// Memory a task touches, which view it is for, and the allocation that held it when the task was queued.
struct Range {
    const char* name;
    std::uint64_t alignment;
    std::size_t view;  // kNoView: it is the workspace
    std::uint64_t holder;
    std::uintptr_t heldBegin;
    std::uint64_t heldSize;
};
constexpr std::size_t kNoView = SIZE_MAX;

// A list of trivial values: the first few are stored inline and uninitialised, more go into a vector.
template <class T, std::size_t capacity>
class Few {
  public:
    void add(const T& value) {
        if (size_ < capacity) {
            std::memcpy(storage_ + sizeof(T) * size_, &value, sizeof(T));
        } else {
            if (size_ == capacity) {
                many_.assign(begin(), end());
            }
            many_.push_back(value);
        }
        ++size_;
    }
    std::size_t size() const { return size_; }
    T* data() { return many_.empty() ? std::launder(reinterpret_cast<T*>(storage_)) : many_.data(); }
    const T* data() const { return many_.empty() ? std::launder(reinterpret_cast<const T*>(storage_)) : many_.data(); }
    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }

  private:
    static_assert(std::is_trivially_copyable_v<T>);
    alignas(T) std::byte storage_[sizeof(T) * capacity];
    std::size_t size_ = 0;
    std::vector<T> many_;
};

class KernelTask : public Task {
  public:
    KernelTask(const char* operation, std::shared_ptr<const Kernel> kernel, bool saturate)
        : operation_(operation), kernel_(std::move(kernel)), context_{saturate} {}

    void add(const View& view) { views_.add(view); }
    // The memory of the view that is added next, or of no view.
    void touch(const char* name, std::uintptr_t begin, std::uint64_t size, std::uint64_t alignment, std::size_t view) {
        bytes_ += size;
        ranges_.add(Range{name, alignment, view, 0, 0, 0});
        holds_.add(Hold{begin, size, 0, nullptr, 0});
    }
    std::size_t nextView() const { return views_.size(); }
    // The task will run later, when memory may be freed: notes its present allocation.
    void defer() {
        runtime().memory.findHolders({holds_.data(), holds_.size()});
        for (std::size_t index = 0; index < ranges_.size(); ++index) {
            Range& range = ranges_.data()[index];
            range.holder = holds_.data()[index].id;
            if (Allocation holder; range.holder != 0 && runtime().memory.find(holds_.data()[index].begin, holder)) {
                range.heldBegin = holder.begin;
                range.heldSize = holder.asked;
            }
        }
        deferred_ = true;
    }

    bool isSmall() const override { return bytes_ <= kSmallBytes; }
    bool suitsWaiters() const override { return true; }
    TaskKind kind() const override { return TaskKind::Kernel; }
    const char* name() const override { return operation_; }
    std::uint64_t bytes() const override { return bytes_; }
    std::optional<AsyncError> replay() override {
        KernelTask fresh(*this);  // a run changes addresses
        fresh.deferred_ = false;  // memory may change between replays: only its state now counts
        return fresh.run();
    }

    std::optional<AsyncError> run() override {
        Pins pins({holds_.data(), holds_.size()});
        for (std::size_t index = 0; index < ranges_.size(); ++index) {
            const Range& range = ranges_.data()[index];
            const Hold& hold = holds_.data()[index];
            if (hold.id == 0 || (deferred_ && hold.id != range.holder) || hold.begin % range.alignment != 0) {
                return error(complaint(range, hold));
            }
            if (range.view != kNoView) {  // still the client's address
                unsigned char*& data = views_.data()[range.view].data;
                data = reinterpret_cast<unsigned char*>(reinterpret_cast<std::uintptr_t>(data) + hold.shift);
            }
        }
        {
            const FloatEnvironment environment;
            kernel_->run(views_.data(), context_);
        }
        if (const std::ptrdiff_t freed = pins.end(); freed >= 0) {
            return error(
                text("argument '%s': got %s, whose memory was freed while the kernel ran; allowed: memory that lives "
                     "until the stream has passed the task",
                     ranges_.data()[freed].name, bytesOf(holds_.data()[freed]).c_str()));
        }
        return std::nullopt;
    }

  private:
    AsyncError error(const std::string& sentence) const {
        return {ACL_ERROR_RT_AICORE_EXCEPTION, errorLine(ACL_ERROR_RT_AICORE_EXCEPTION, operation_, sentence)};
    }

    static std::string bytesOf(const Hold& hold) {
        return text("%llu bytes at %p", static_cast<unsigned long long>(hold.size),
                    reinterpret_cast<void*>(hold.begin));
    }

    std::string complaint(const Range& range, const Hold& hold) const {
        const std::string got = bytesOf(hold);
        if (hold.begin % range.alignment != 0) {
            return text("argument '%s': got address %p; allowed: a multiple of %llu, the size of an element",
                        range.name, reinterpret_cast<void*>(hold.begin),
                        static_cast<unsigned long long>(range.alignment));
        }
        if (deferred_ && range.holder != 0) {
            const std::string held = range.heldSize != 0 ? text(" (device memory %p of %llu bytes)",
                                                                reinterpret_cast<void*>(range.heldBegin),
                                                                static_cast<unsigned long long>(range.heldSize))
                                                         : "";
            return text(
                "argument '%s': got %s%s, whose memory was freed after the call and before the kernel ran; allowed: "
                "memory that lives until the stream has passed the task",
                range.name, got.c_str(), held.c_str());
        }
        Allocation around;
        if (runtime().memory.find(hold.begin, around)) {
            return text("argument '%s': got %s, which reaches outside %s; allowed: memory that holds the whole tensor",
                        range.name, got.c_str(), describe(around).c_str());
        }
        if (AddressSpace::reserved(hold.begin)) {
            return text(
                "argument '%s': got %s, where no live device memory is (freed, or beyond its end); allowed: device "
                "memory that lives until the stream has passed the task",
                range.name, got.c_str());
        }
        return text(
            "argument '%s': got %s, which the device does not know; allowed: device memory, page-locked or registered "
            "host memory",
            range.name, got.c_str());
    }

    const char* const operation_;
    const std::shared_ptr<const Kernel> kernel_;
    const KernelContext context_;
    Few<View, kFewArguments> views_;
    Few<Range, kFewArguments + 1> ranges_;  // and the workspace
    Few<Hold, kFewArguments + 1> holds_;    // of the same ranges
    std::uint64_t bytes_ = 0;
    bool deferred_ = false;
};

aclnnStatus fill(KernelTask& task, const aclOpExecutor& executor) {
    for (const aclOpExecutor::Argument& argument : executor.arguments) {
        View view = argument.view;
        if (argument.tensor != nullptr) {
            if (argument.mustBeContiguous && !argument.tensor->contiguous()) {
                return failArgument(
                    ACLNN_ERR_INNER, argument.name,
                    "strides " + argument.tensor->strides.text() + " for shape " + argument.tensor->shape.text(),
                    "a contiguous tensor");
            }
            view.data = static_cast<unsigned char*>(argument.tensor->data);
            if (argument.extend.size != 0) {
                if (view.data == nullptr) {
                    return failArgument(ACLNN_ERR_RUNTIME_ERROR, argument.name, "a tensor without an address",
                                        "a tensor whose address is set before phase 2");
                }
                const std::uintptr_t begin =
                    reinterpret_cast<std::uintptr_t>(view.data) + static_cast<std::uintptr_t>(argument.extend.first);
                task.touch(argument.name, begin, argument.extend.size, argument.extend.alignment, task.nextView());
            }
        }
        task.add(view);
    }
    return ACLNN_SUCCESS;
}

aclnnStatus enqueue(aclOpExecutor& executor, void* workspace, std::uint64_t workspaceSize, aclrtStream handle) {
    for (const aclOpExecutor::Argument& argument : executor.arguments) {
        if (argument.tensor != nullptr && pools().tensors.find(argument.tensor) == nullptr) {
            return failArgument(ACLNN_ERR_INNER_NULLPTR, argument.name, "an aclTensor destroyed after phase 1",
                                "a tensor that lives until phase 2 returns");
        }
    }
    if (executor.kernel == nullptr) {
        return ACLNN_SUCCESS;
    }
    Stream* stream = nullptr;
    if (requireStream(handle, stream) != ACL_SUCCESS) {
        return ACLNN_ERR_RUNTIME_ERROR;
    }
    KernelTask task(executor.operation, executor.kernel, stream->saturate);
    ACLQ_RETURN_IF_FAILED(fill(task, executor));
    if (workspaceSize > 0) {
        task.touch("workspace", reinterpret_cast<std::uintptr_t>(workspace), workspaceSize, 1, kNoView);
    }
    if (stream->tryRun(task)) {
        return ACLNN_SUCCESS;
    }
    task.defer();
    return stream->submit(std::make_unique<KernelTask>(std::move(task))) == ACL_SUCCESS ? ACLNN_SUCCESS
                                                                                        : ACLNN_ERR_RUNTIME_ERROR;
}

aclnnStatus run(const char* operation, void* workspace, std::uint64_t workspaceSize, aclOpExecutor* handle,
                aclrtStream stream, WorkspaceRule rule) {
    if (handle == nullptr) {
        return failArgument(ACLNN_ERR_PARAM_NULLPTR, "executor", "null", "the executor of phase 1");
    }
    aclOpExecutor* executor = pools().executors.find(handle);
    if (executor == nullptr) {
        return failArgument(ACLNN_ERR_INNER_NULLPTR, "executor", text("%p", static_cast<void*>(handle)),
                            "the executor of phase 1, which phase 2 destroys unless it was made repeatable");
    }
    aclnnStatus status = ACLNN_SUCCESS;
    if (operation != executor->operation && std::strcmp(operation, executor->operation) != 0) {
        status = failArgument(ACLNN_ERR_PARAM_INVALID, "executor", text("an executor of %s", executor->operation),
                              text("one of %s", operation));
    } else if (workspaceSize > 0 && workspace == nullptr) {
        status =
            failArgument(ACLNN_ERR_PARAM_NULLPTR, "workspace", "null",
                         text("%llu bytes of device memory", static_cast<unsigned long long>(executor->workspaceSize)));
    } else if (workspaceSize < executor->workspaceSize &&
               (rule == WorkspaceRule::Whole || runtime().settings.strictSizes())) {
        status = failArgument(
            ACLNN_ERR_PARAM_INVALID, "workspaceSize", std::to_string(workspaceSize),
            text("the %llu bytes phase 1 asked for", static_cast<unsigned long long>(executor->workspaceSize)));
    } else {
        status = enqueue(*executor, workspace, workspaceSize, stream);
    }
    if (!executor->repeatable) {
        pools().executors.destroy(executor);
    }
    return status;
}

}  // namespace

Pools& pools() {
    return PerProcess<Pools, makePools>::get();
}

std::int64_t View::elements() const {
    return product(shape, rank);
}

Extend extendOf(const View& view) {
    if (view.elements() == 0) {
        return {};
    }
    aclTensor reached;
    reached.offset = view.offset;
    reached.shape = Dims(view.shape, static_cast<std::uint64_t>(view.rank));
    reached.strides = Dims(view.strides, static_cast<std::uint64_t>(view.rank));
    std::int64_t first = 0;
    std::int64_t last = 0;
    reached.reach(first, last);
    const std::int64_t bits = bitsOf(view.dtype);
    // Bytes are counted from bits and rounded outwards, which needs room on both sides; without it, the view reaches
    // everything.
    constexpr std::int64_t kWidest = 128;
    constexpr std::int64_t kFarthest = INT64_MAX / kWidest;
    if (first < -kFarthest || last > kFarthest - 1 || bits > kWidest) {
        return {0, UINT64_MAX, 1};
    }
    const std::int64_t firstBit = first * bits;
    const std::int64_t firstByte = firstBit >= 0 ? firstBit / 8 : -((7 - firstBit) / 8);
    const std::int64_t endByte = ((last + 1) * bits + 7) / 8;
    return {firstByte, static_cast<std::uint64_t>(endByte - firstByte), alignmentOf(view.dtype)};
}

aclnnStatus runExecutor(const char* operation, void* workspace, std::uint64_t workspaceSize, aclOpExecutor* executor,
                        aclrtStream stream, WorkspaceRule rule) noexcept {
    return api(operation, ACLNN_ERR_INNER, ACLNN_ERR_INNER,
               [&] { return run(operation, workspace, workspaceSize, executor, stream, rule); });
}

}  // namespace aclq
