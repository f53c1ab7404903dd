// SPDX-License-Identifier: Apache-2.0
#include "runtime/copy.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "runtime/device.h"
#include "runtime/status.h"

namespace aclq {
namespace {

// Copies up to this size run in the calling thread when the stream is idle.
constexpr std::size_t kSmallBytes = 64 * 1024;
constexpr std::size_t kMaxAsyncWidth = 5'000'000;
constexpr std::size_t kMaxAsyncHeight = 5 * 1024 * 1024;

struct Place {
    bool device = false;
    bool pinned = false;
    Allocation allocation;
    bool known() const { return device || pinned; }
};

Place placeOf(const void* pointer) {
    Place place;
    if (runtime().memory.find(reinterpret_cast<std::uintptr_t>(pointer), place.allocation)) {
        place.device = place.allocation.kind == MemoryKind::Device;
        place.pinned = !place.device;
    }
    return place;
}

// Freed guarded device memory keeps its addresses, which are not host memory.
aclError checkLive(const void* pointer, bool known, const char* argument) {
    return known || !AddressSpace::reserved(reinterpret_cast<std::uintptr_t>(pointer))
               ? ACL_SUCCESS
               : failArgument(ACL_ERROR_RT_PARAM_INVALID, argument,
                              text("%p, where no live device memory is (freed, beyond its end, or of the process this "
                                   "one was forked from)",
                                   pointer),
                              "live device memory or host memory");
}

aclError findPlaces(const void* src, const void* dst, Place& from, Place& to) {
    from = placeOf(src);
    to = placeOf(dst);
    ACLQ_RETURN_IF_FAILED(checkLive(src, from.known(), "src"));
    return checkLive(dst, to.known(), "dst");
}

// A copy may not leave the allocation it begins in.
aclError checkInside(const void* pointer, std::size_t bytes, const Place& place, const char* argument) {
    const std::uint64_t room =
        place.known() ? place.allocation.begin + place.allocation.size - reinterpret_cast<std::uintptr_t>(pointer)
                      : bytes;
    return bytes <= room
               ? ACL_SUCCESS
               : failArgument(ACL_ERROR_RT_PARAM_INVALID, argument, text("%zu bytes from %p", bytes, pointer),
                              text("at most %llu bytes, the rest of %s", static_cast<unsigned long long>(room),
                                   describe(place.allocation).c_str()));
}

// The checks that all plain copies share, in order; `done` if nothing is left to do.
aclError checkCopy(const void* dst, std::size_t destMax, const void* src, std::size_t count, aclrtMemcpyKind kind,
                   bool& done) {
    done = true;
    if (count == 0) {
        return ACL_SUCCESS;
    }
    if (dst == nullptr || src == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, dst == nullptr ? "dst" : "src", "null", "an address");
    }
    if (static_cast<int>(kind) < ACL_MEMCPY_HOST_TO_HOST || static_cast<int>(kind) > ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "kind", std::to_string(static_cast<int>(kind)), "0 to 5");
    }
    if (count > destMax) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "count", std::to_string(count),
                            text("at most destMax, %zu", destMax));
    }
    done = dst == src;
    return ACL_SUCCESS;
}

// Memory that work touches; host memory is unknown to the device.
struct Touched {
    const char* argument;
    const void* pointer;
    std::size_t bytes;
};

// The work gets the real addresses of the memory, in the order of the ranges.
using Holds = std::span<const Hold>;
using Work = std::function<void(Holds)>;

Hold holdOf(const Touched& memory) {
    return {reinterpret_cast<std::uintptr_t>(memory.pointer), memory.bytes, 0, nullptr, 0};
}

class FunctionTask : public Task {
  public:
    FunctionTask(Work work, const std::vector<Touched>& touched, bool small)
        : function_(currentFunction()), work_(std::move(work)), small_(small) {
        for (const Touched& memory : touched) {
            arguments_.push_back(memory.argument);
            queued_.push_back(holdOf(memory));
            runtime().memory.find(queued_.back().begin, holders_.emplace_back());
        }
        runtime().memory.findHolders(queued_);
    }
    std::optional<AsyncError> run() override {
        std::vector<Hold> holds = queued_;
        Pins pins(holds);
        for (std::size_t index = 0; index < holds.size(); ++index) {
            if (holds[index].id != queued_[index].id) {
                return error(index, "after the call and before the stream came to it");
            }
        }
        work_(holds);
        if (const std::ptrdiff_t freed = pins.end(); freed >= 0) {
            return error(static_cast<std::size_t>(freed), "while the stream worked on it");
        }
        return std::nullopt;
    }
    bool isSmall() const override { return small_; }
    bool suitsWaiters() const override { return true; }
    std::optional<AsyncError> replay() override {
        // Memory of a graph may change between replays: only its state now counts.
        FunctionTask fresh(*this);
        fresh.holders_.assign(holders_.size(), Allocation{});
        runtime().memory.findHolders(fresh.queued_);
        for (const Hold& hold : fresh.queued_) {
            if (hold.id == 0 && hold.size > 0) {
                return error(static_cast<std::size_t>(&hold - fresh.queued_.data()), "before the graph was replayed");
            }
        }
        return fresh.run();
    }
    TaskKind kind() const override { return TaskKind::Copy; }
    const char* name() const override { return function_; }
    std::uint64_t bytes() const override {
        return std::accumulate(queued_.begin(), queued_.end(), std::uint64_t{0},
                               [](std::uint64_t sum, const Hold& hold) { return sum + hold.size; });
    }

  private:
    AsyncError error(std::size_t index, const char* when) const {
        const Allocation& holder = holders_[index];
        const std::string held = holder.id != 0 ? " (" + describe(holder) + ")" : "";
        return {ACL_ERROR_RT_AICORE_EXCEPTION,
                errorLine(ACL_ERROR_RT_AICORE_EXCEPTION, function_,
                          text("argument '%s': got %llu bytes at %p%s, whose memory was freed %s; allowed: memory that "
                               "lives until the stream has passed the task",
                               arguments_[index], static_cast<unsigned long long>(queued_[index].size),
                               reinterpret_cast<void*>(queued_[index].begin), held.c_str(), when))};
    }

    const char* const function_;
    const Work work_;
    std::vector<const char*> arguments_;
    std::vector<Hold> queued_;
    std::vector<Allocation> holders_;  // described only in errors
    const bool small_;
};

// Queues the work; with `wait`, returns only when it was done (or dropped).
aclError enqueue(Stream& stream, Work work, const std::vector<Touched>& touched, std::size_t bytes, bool wait) {
    if (!wait) {
        return stream.submit(std::make_unique<FunctionTask>(std::move(work), touched, bytes <= kSmallBytes));
    }
    auto finished = std::make_shared<std::promise<void>>();
    std::future<void> future = finished->get_future();
    ACLQ_RETURN_IF_FAILED(stream.submit(std::make_unique<FunctionTask>(
                                            [work = std::move(work), finished = std::move(finished)](Holds holds) {
                                                work(holds);
                                                finished->set_value();
                                            },
                                            touched, bytes <= kSmallBytes),
                                        &future));
    try {
        future.get();
    } catch (const std::future_error&) {  // the task was dropped without running
        return fail(
            ACL_ERROR_RT_STREAM_ABORT,
            "nothing was copied: the stream was aborted, or an earlier task failed; synchronise to see the error");
    }
    return ACL_SUCCESS;
}

// Does the work in the calling thread, and reports earlier errors of the context.
template <class Now, std::size_t count>
aclError perform(const Context& context, Now&& work, const Touched (&touched)[count]) {
    Hold holds[count];
    std::transform(std::begin(touched), std::end(touched), holds, holdOf);
    {
        const Pins pins(holds);
        for (std::size_t index = 0; index < count; ++index) {
            // Another thread may have freed it since it was checked.
            ACLQ_RETURN_IF_FAILED(checkLive(touched[index].pointer, holds[index].id != 0, touched[index].argument));
        }
        work(holds);
    }
    return reportErrors(context);
}

void copyRows(Holds holds, std::size_t dpitch, std::size_t spitch, std::size_t width, std::size_t height) {
    for (std::size_t row = 0; row < height; ++row) {
        std::memmove(holds[1].bytes() + row * dpitch, holds[0].bytes() + row * spitch, width);
    }
}

// Direction and addresses of an asynchronous copy must agree; the text is the one that CANN's users search for.
aclError checkDirection(aclrtMemcpyKind kind, const Place& src, const Place& dst) {
    const bool toDevice = kind == ACL_MEMCPY_HOST_TO_DEVICE || kind == ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE;
    const bool fits = kind == ACL_MEMCPY_DEFAULT || (toDevice && !src.device && dst.device) ||
                      (kind == ACL_MEMCPY_DEVICE_TO_HOST && src.device && !dst.device) ||
                      (kind == ACL_MEMCPY_DEVICE_TO_DEVICE && src.device && dst.device);
    return fits
               ? ACL_SUCCESS
               : fail(ACL_ERROR_RT_PARAM_INVALID, text("argument 'kind': src loc type=%d, dst loc type=%d, kind=%d is "
                                                       "invalid (loc type 0 is host, 1 is device)",
                                                       src.device ? 1 : 0, dst.device ? 1 : 0, static_cast<int>(kind)));
}

// A copy from or to ordinary host memory is synchronous, which captures do not allow.
aclError checkPageable(const Stream& stream, const Place& from, const Place& to) {
    if (from.known() && to.known()) {
        return ACL_SUCCESS;
    }
    if (const CapturePart part = stream.capture(); part.graph != nullptr) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, from.known() ? "dst" : "src",
                            text("ordinary host memory, in the capture of %s", part.graph->who().c_str()),
                            "in a capture: device memory, and host memory of aclrtMallocHost or aclrtHostRegister");
    }
    return checkCaptureMode(*stream.context, ACL_ERROR_RT_CAPTURE_MODE_BLOCK_ASYNC,
                            "a copy from or to ordinary host memory, which becomes synchronous,");
}

aclError checkFill(void* pointer, std::size_t maxCount, std::size_t count) {
    if (pointer == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "devPtr", "null", "an address");
    }
    if (count > maxCount) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "count", std::to_string(count),
                            text("at most maxCount, %zu", maxCount));
    }
    const Place place = placeOf(pointer);
    ACLQ_RETURN_IF_FAILED(checkLive(pointer, place.known(), "devPtr"));
    if (!place.known()) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "devPtr", text("%p, which the device does not know", pointer),
                            "device memory or page-locked host memory");
    }
    return checkInside(pointer, count, place, "devPtr");
}

}  // namespace

aclError copyNow(void* dst, std::size_t destMax, const void* src, std::size_t count, aclrtMemcpyKind kind) {
    bool done = false;
    ACLQ_RETURN_IF_FAILED(checkCopy(dst, destMax, src, count, kind, done));
    if (done) {
        return ACL_SUCCESS;
    }
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    ACLQ_RETURN_IF_FAILED(checkCaptureMode(*context, ACL_ERROR_RT_CAPTURE_MODE_NOT_SUPPORT, "a synchronous copy"));
    Place from;
    Place to;
    ACLQ_RETURN_IF_FAILED(findPlaces(src, dst, from, to));
    // Present chips take the direction from the addresses; CANN's documentation advises against relying on it.
    if (runtime().settings.guarded() && (kind != ACL_MEMCPY_HOST_TO_HOST || from.device || to.device)) {
        ACLQ_RETURN_IF_FAILED(checkDirection(kind, from, to));
    }
    ACLQ_RETURN_IF_FAILED(checkInside(src, count, from, "src"));
    ACLQ_RETURN_IF_FAILED(checkInside(dst, count, to, "dst"));
    return perform(*context, [=](Holds holds) { std::memmove(holds[1].bytes(), holds[0].bytes(), count); },
                   {{"src", src, count}, {"dst", dst, count}});
}

aclError copyAsync(void* dst, std::size_t destMax, const void* src, std::size_t count, aclrtMemcpyKind kind,
                   aclrtStream handle) {
    bool done = false;
    ACLQ_RETURN_IF_FAILED(checkCopy(dst, destMax, src, count, kind, done));
    if (done) {
        return ACL_SUCCESS;
    }
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    Place from;
    Place to;
    ACLQ_RETURN_IF_FAILED(findPlaces(src, dst, from, to));
    if (!from.device && !to.device && (kind == ACL_MEMCPY_HOST_TO_HOST || kind == ACL_MEMCPY_DEFAULT)) {
        return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                    "argument 'kind': got a copy from host to host; allowed: at least one side on the device");
    }
    ACLQ_RETURN_IF_FAILED(checkDirection(kind, from, to));
    ACLQ_RETURN_IF_FAILED(checkInside(src, count, from, "src"));
    ACLQ_RETURN_IF_FAILED(checkInside(dst, count, to, "dst"));
    if (kind == ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE) {
        const auto* bytes = static_cast<const unsigned char*>(src);
        auto copy = std::make_shared<std::vector<unsigned char>>(bytes, bytes + count);
        return enqueue(
            *stream, [=](Holds holds) { std::memcpy(holds[0].bytes(), copy->data(), count); }, {{"dst", dst, count}},
            count, false);
    }
    // With ordinary host memory the call is synchronous, at its position in the stream.
    ACLQ_RETURN_IF_FAILED(checkPageable(*stream, from, to));
    return enqueue(
        *stream, [=](Holds holds) { std::memmove(holds[1].bytes(), holds[0].bytes(), count); },
        {{"src", src, count}, {"dst", dst, count}}, count, !(from.known() && to.known()));
}

aclError copy2d(void* dst, std::size_t dpitch, const void* src, std::size_t spitch, std::size_t width,
                std::size_t height, aclrtMemcpyKind kind, bool async, aclrtStream handle) {
    if (width == 0 || height == 0) {
        return ACL_SUCCESS;
    }
    if (dst == nullptr || src == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, dst == nullptr ? "dst" : "src", "null", "an address");
    }
    if (width > dpitch || width > spitch) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "width", std::to_string(width),
                            text("at most the pitches, %zu and %zu", dpitch, spitch));
    }
    if (kind < ACL_MEMCPY_HOST_TO_DEVICE || kind > ACL_MEMCPY_DEVICE_TO_DEVICE) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "kind", std::to_string(static_cast<int>(kind)), "1, 2 or 3");
    }
    if (async && (width > kMaxAsyncWidth || height > kMaxAsyncHeight)) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "width", text("%zu x %zu", width, height),
                            text("at most %zu x %zu", kMaxAsyncWidth, kMaxAsyncHeight));
    }
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    Place from;
    Place to;
    ACLQ_RETURN_IF_FAILED(findPlaces(src, dst, from, to));
    ACLQ_RETURN_IF_FAILED(checkDirection(kind, from, to));
    if (height > 1 && (std::max(dpitch, spitch) > (SIZE_MAX - width) / (height - 1))) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "height", std::to_string(height),
                            "a copy of less than 2^64 bytes");
    }
    const std::size_t read = spitch * (height - 1) + width;
    const std::size_t written = dpitch * (height - 1) + width;
    ACLQ_RETURN_IF_FAILED(checkInside(src, read, from, "src"));
    ACLQ_RETURN_IF_FAILED(checkInside(dst, written, to, "dst"));
    const auto work = [=](Holds holds) { copyRows(holds, dpitch, spitch, width, height); };
    const Touched touched[]{{"src", src, read}, {"dst", dst, written}};
    ACLQ_RETURN_IF_FAILED(
        async ? checkPageable(*stream, from, to)
              : checkCaptureMode(*stream->context, ACL_ERROR_RT_CAPTURE_MODE_NOT_SUPPORT, "a synchronous copy"));
    return async ? enqueue(*stream, work, {std::begin(touched), std::end(touched)}, width * height,
                           !(from.known() && to.known()))
                 : perform(*stream->context, work, touched);
}

aclError fillNow(void* pointer, std::size_t maxCount, std::int32_t value, std::size_t count) {
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    ACLQ_RETURN_IF_FAILED(checkFill(pointer, maxCount, count));
    ACLQ_RETURN_IF_FAILED(checkCaptureMode(*context, ACL_ERROR_RT_CAPTURE_MODE_NOT_SUPPORT, "a synchronous fill"));
    return perform(*context, [=](Holds holds) { std::memset(holds[0].bytes(), value, count); },
                   {{"devPtr", pointer, count}});
}

aclError fillAsync(void* pointer, std::size_t maxCount, std::int32_t value, std::size_t count, aclrtStream handle) {
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    ACLQ_RETURN_IF_FAILED(checkFill(pointer, maxCount, count));
    return enqueue(
        *stream, [=](Holds holds) { std::memset(holds[0].bytes(), value, count); }, {{"devPtr", pointer, count}}, count,
        false);
}

}  // namespace aclq
