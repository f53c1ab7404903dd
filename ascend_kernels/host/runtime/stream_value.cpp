// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_value.h"

#include <chrono>
#include <thread>

#include "runtime/device.h"
#include "runtime/status.h"

namespace aclq {
namespace {

// Interval of polling: a waiting stream is not notified when memory changes by other means.
constexpr std::chrono::microseconds kLook{100};

class ValueTask : public Task {
  public:
    ValueTask(const char* name, std::uintptr_t address, std::uint64_t value)
        : value_(value), name_(name), address_(address) {}
    TaskKind kind() const override { return TaskKind::Value; }
    const char* name() const override { return name_; }
    std::uint64_t bytes() const override { return sizeof(std::uint64_t); }

  protected:
    // Calls use(the number) with the memory held; the error if there is none.
    template <class Use>
    std::optional<AsyncError> withNumber(Use&& use) const {
        Hold hold{address_, sizeof(std::uint64_t), 0, nullptr, 0};
        const Pins pins({&hold, 1});
        if (hold.id == 0) {
            return AsyncError{
                ACL_ERROR_RT_AICORE_EXCEPTION,
                errorLine(ACL_ERROR_RT_AICORE_EXCEPTION, name_,
                          text("argument 'devAddr': got %p, where the device has no 8 bytes (freed since "
                               "the call); allowed: memory that lives until the stream has passed the task",
                               reinterpret_cast<void*>(address_)))};
        }
        use(*reinterpret_cast<std::uint64_t*>(hold.bytes()));
        return std::nullopt;
    }
    const std::uint64_t value_;

  private:
    const char* const name_;
    const std::uintptr_t address_;
};

class WriteTask : public ValueTask {
  public:
    using ValueTask::ValueTask;
    std::optional<AsyncError> run() override {
        return withNumber([&](std::uint64_t& number) { __atomic_store_n(&number, value_, __ATOMIC_SEQ_CST); });
    }
    bool isSmall() const override { return true; }
    bool suitsWaiters() const override { return true; }
};

class WaitTask : public ValueTask {
  public:
    WaitTask(const char* name, std::uintptr_t address, std::uint64_t value, std::uint32_t condition)
        : ValueTask(name, address, value), condition_(condition) {}
    std::optional<AsyncError> run() override {
        bool met = false;
        while (true) {
            std::optional<AsyncError> error = look(met);
            if (met || error || interrupted_) {
                return error;
            }
            std::this_thread::sleep_for(kLook);
        }
    }
    std::optional<AsyncError> replay() override {
        bool met = false;
        return look(met);
    }
    bool readyToReplay() const override {
        bool met = false;
        return look(met).has_value() || met;
    }
    void interrupt() override { interrupted_ = true; }

  private:
    std::optional<AsyncError> look(bool& met) const {
        return withNumber([&](const std::uint64_t& number) {
            const std::uint64_t now = __atomic_load_n(&number, __ATOMIC_SEQ_CST);
            met = condition_ == ACL_STREAM_WAIT_VALUE_GEQ   ? now >= value_
                  : condition_ == ACL_STREAM_WAIT_VALUE_EQ  ? now == value_
                  : condition_ == ACL_STREAM_WAIT_VALUE_AND ? (now & value_) != 0
                                                            : ~(now | value_) != 0;
        });
    }
    const std::uint32_t condition_;
    std::atomic<bool> interrupted_{false};
};

aclError checkAddress(const void* address) {
    Hold hold{reinterpret_cast<std::uintptr_t>(address), sizeof(std::uint64_t), 0, nullptr, 0};
    runtime().memory.findHolders({&hold, 1});
    return hold.id != 0 && hold.begin % sizeof(std::uint64_t) == 0
               ? ACL_SUCCESS
               : failArgument(ACL_ERROR_RT_PARAM_INVALID, "devAddr", text("%p", address),
                              "8 bytes of memory that the device knows, on a multiple of 8");
}

}  // namespace

aclError writeValue(void* address, std::uint64_t value, std::uint32_t flag, Stream& stream) {
    if (flag != 0) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "flag", std::to_string(flag), "0");
    }
    ACLQ_RETURN_IF_FAILED(checkAddress(address));
    return stream.submit(
        std::make_unique<WriteTask>("aclrtValueWrite", reinterpret_cast<std::uintptr_t>(address), value));
}

aclError waitForValue(void* address, std::uint64_t value, std::uint32_t condition, Stream& stream) {
    if (condition > ACL_STREAM_WAIT_VALUE_NOR) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "flag", std::to_string(condition),
                            "0 (at least), 1 (equal), 2 (common bits) or 3 (bits that neither has)");
    }
    ACLQ_RETURN_IF_FAILED(checkAddress(address));
    return stream.submit(
        std::make_unique<WaitTask>("aclrtValueWait", reinterpret_cast<std::uintptr_t>(address), value, condition));
}

}  // namespace aclq
