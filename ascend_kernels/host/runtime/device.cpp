// SPDX-License-Identifier: Apache-2.0
#include "runtime/device.h"

#include <algorithm>
#include <chrono>

#include "runtime/per_process.h"
#include "runtime/status.h"

namespace aclq {
namespace {

// Streams per device of the A2/A3; the inference series has fewer.
constexpr std::size_t kMaxStreams = 1984;
constexpr std::size_t kMaxStreamsInferenceSeries = 1024;

Runtime* make() {
    return new Runtime(Settings::fromEnvironment());
}

// A context belongs to the process that made it.
struct ThreadContext {
    Context* context = nullptr;
    std::uint64_t generation = 0;
};
thread_local ThreadContext threadContext;

void destroyStreams(Runtime& state, Context& context, bool force) {
    std::set<Stream*> streams;
    {
        const std::lock_guard lock(state.mutex);
        streams.swap(context.streams);
        context.defaultStream = nullptr;
    }
    for (Stream* stream : streams) {
        dropCaptures(*stream);
        stream->resume();  // a stalled stream may hold up another one of these
    }
    for (Stream* stream : streams) {
        stream->close(force);
        state.streams.destroy(stream);
    }
}

// The streams of a device, protected from destruction while they are inspected.
class Visit {
  public:
    Visit(const Runtime& state, std::int32_t device);
    ~Visit() {
        for (Stream* stream : streams) {
            stream->leave();
        }
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

    std::vector<Stream*> streams;
};

Visit::Visit(const Runtime& state, std::int32_t device) {
    const std::lock_guard lock(state.mutex);
    const auto add = [&](const Context& context) {
        streams.insert(streams.end(), context.streams.begin(), context.streams.end());
    };
    if (const Context* primary = state.devices[static_cast<std::size_t>(device)].primary) {
        add(*primary);
    }
    for (const Context* context : state.explicitContexts) {
        if (context->device == device) {
            add(*context);
        }
    }
    for (Stream* stream : streams) {
        stream->enter();
    }
}

}  // namespace

Runtime::Runtime(Settings values) : settings(std::move(values)), memory(kMaxDevices) {}

Runtime& runtime() {
    return PerProcess<Runtime, make>::get();
}
Runtime* existingRuntime() {
    return PerProcess<Runtime, make>::existing();
}

Context* currentContext() {
    if (threadContext.context == nullptr ||
        threadContext.generation != processGeneration.load(std::memory_order_relaxed)) {
        return nullptr;
    }
    return runtime().contexts.find(threadContext.context);
}

void setCurrentContext(Context* context) {
    threadContext = {context, processGeneration.load(std::memory_order_relaxed)};
}

aclError requireContext(Context*& context) {
    context = currentContext();
    if (context == nullptr && runtime().defaultDevice >= 0) {
        ACLQ_RETURN_IF_FAILED(setDevice(runtime().defaultDevice));
        context = currentContext();
    }
    return context != nullptr
               ? ACL_SUCCESS
               : fail(ACL_ERROR_RT_CONTEXT_NULL,
                      "no device is set in this thread; call aclrtSetDevice in every thread that uses the device");
}

aclError requireStream(aclrtStream handle, Stream*& stream) {
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    if (handle == nullptr) {
        stream = context->defaultStream;
        return ACL_SUCCESS;
    }
    stream = runtime().streams.find(handle);
    if (stream == nullptr) {
        return failArgument(ACL_ERROR_RT_INVALID_HANDLE, "stream", text("%p", handle),
                            "a live aclrtStream or null for the default stream");
    }
    if (stream->context != context) {
        return failArgument(ACL_ERROR_RT_STREAM_CONTEXT, "stream",
                            text("stream %d of device %d's other context", stream->id, stream->context->device),
                            text("a stream of the current context (device %d)", context->device));
    }
    return ACL_SUCCESS;
}

aclError requireEvent(aclrtEvent handle, Event*& event) {
    if (handle == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "event", "null", "a live aclrtEvent");
    }
    event = runtime().events.find(handle);
    return event != nullptr
               ? ACL_SUCCESS
               : failArgument(ACL_ERROR_RT_INVALID_HANDLE, "event", text("%p", handle), "a live aclrtEvent");
}

aclError checkDeviceId(std::int64_t device, const char* argument) {
    const auto count = static_cast<std::int64_t>(runtime().settings.deviceCount);
    return device >= 0 && device < count ? ACL_SUCCESS
                                         : failArgument(ACL_ERROR_RT_INVALID_DEVICEID, argument, std::to_string(device),
                                                        text("0 to %lld", static_cast<long long>(count - 1)));
}

aclError checkTimeout(std::int32_t timeout) {
    return timeout == -1 || timeout > 0 ? ACL_SUCCESS
                                        : failArgument(ACL_ERROR_RT_PARAM_INVALID, "timeout", std::to_string(timeout),
                                                       "-1 (for ever) or more than 0, in ms");
}

aclError checkSoc(int code) {
    const std::string problem = runtime().settings.problem();
    return problem.empty() ? ACL_SUCCESS : fail(code, problem);
}

aclError createStream(Context& context, std::uint32_t priority, std::uint32_t flags, Stream** stream) {
    Runtime& state = runtime();
    const std::lock_guard lock(state.mutex);
    const bool inferenceSeries = state.settings.soc->family == Family::InferenceSeries;
    if (Visit(state, context.device).streams.size() >= (inferenceSeries ? kMaxStreamsInferenceSeries : kMaxStreams)) {
        return fail(ACL_ERROR_RT_NO_STREAM_RESOURCE, text("device %d has no stream left", context.device));
    }
    const bool saturate = inferenceSeries || state.devices[static_cast<std::size_t>(context.device)].saturate;
    Stream* made =
        state.streams.create(&context, state.nextStreamId++, priority, flags, saturate, state.settings.taskDelay);
    try {
        context.streams.insert(made);
    } catch (...) {
        state.streams.destroy(made);
        throw;
    }
    *stream = made;
    return ACL_SUCCESS;
}

aclError destroyStream(aclrtStream handle, bool force) {
    if (handle == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "stream", "null", "a live aclrtStream");
    }
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    ACLQ_RETURN_IF_FAILED(refuseWhileCapturing(*stream, "be destroyed"));
    if (stream->inTask()) {
        return fail(ACL_ERROR_RT_STREAM_NOT_COMPLETE,
                    "a function that the stream runs destroys the stream; do it in another thread, or after the "
                    "function has returned");
    }
    dropCaptures(*stream);
    Runtime& state = runtime();
    {
        const std::lock_guard lock(state.mutex);
        if (stream == stream->context->defaultStream || stream->context->streams.erase(stream) == 0) {
            return failArgument(ACL_ERROR_RT_INVALID_HANDLE, "stream", "the default stream or one being destroyed",
                                "a stream made by aclrtCreateStream");
        }
    }
    stream->close(force);
    state.streams.destroy(stream);
    return ACL_SUCCESS;
}

aclError setDevice(std::int32_t device) {
    ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
    ACLQ_RETURN_IF_FAILED(checkDeviceId(device));
    Runtime& state = runtime();
    const std::lock_guard lock(state.mutex);
    Device& entry = state.devices[static_cast<std::size_t>(device)];
    if (entry.primary == nullptr) {
        Context* context = state.contexts.create(device, true);
        const aclError status = createStream(*context, 0, 0, &context->defaultStream);
        if (status != ACL_SUCCESS) {
            state.contexts.destroy(context);
            return status;
        }
        entry.primary = context;
        entry.references = 0;
    }
    ++entry.references;
    setCurrentContext(entry.primary);
    return ACL_SUCCESS;
}

aclError resetDevice(std::int32_t device, bool force) {
    ACLQ_RETURN_IF_FAILED(checkDeviceId(device));
    Runtime& state = runtime();
    Context* context = nullptr;
    {
        const std::lock_guard lock(state.mutex);
        Device& entry = state.devices[static_cast<std::size_t>(device)];
        if (entry.primary == nullptr) {
            return fail(ACL_ERROR_RT_CONTEXT_RELEASE_ERROR,
                        text("device %d is not set (or was reset as often as it was set)", device));
        }
        if (!force && --entry.references > 0) {
            return ACL_SUCCESS;
        }
        context = std::exchange(entry.primary, nullptr);
        entry.references = 0;
    }
    destroyStreams(state, *context, false);
    state.contexts.destroy(context);
    return ACL_SUCCESS;
}

aclError createContext(Context** context, std::int32_t device) {
    ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
    ACLQ_RETURN_IF_FAILED(checkDeviceId(device));
    Runtime& state = runtime();
    const std::lock_guard lock(state.mutex);
    Context* made = state.contexts.create(device, false);
    const aclError status = createStream(*made, 0, 0, &made->defaultStream);
    if (status != ACL_SUCCESS) {
        state.contexts.destroy(made);
        return status;
    }
    state.explicitContexts.insert(made);
    setCurrentContext(made);
    *context = made;
    return ACL_SUCCESS;
}

aclError destroyContext(aclrtContext handle) {
    if (handle == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "context", "null", "a live aclrtContext");
    }
    Runtime& state = runtime();
    Context* context = nullptr;
    {
        const std::lock_guard lock(state.mutex);
        context = state.contexts.find(handle);
        if (context == nullptr || context->primary || state.explicitContexts.erase(context) == 0) {
            return failArgument(ACL_ERROR_RT_CONTEXT_NULL, "context", text("%p", handle),
                                "a live context made by aclrtCreateContext");
        }
    }
    destroyStreams(state, *context, false);
    state.contexts.destroy(context);
    return ACL_SUCCESS;
}

aclError synchronizeDevice(std::int32_t timeoutMs) {
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    ACLQ_RETURN_IF_FAILED(refuseDeviceWhileCapturing(*context));
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(std::max(timeoutMs, 0));
    aclError first = ACL_SUCCESS;
    const Visit visit(runtime(), context->device);
    for (Stream* stream : visit.streams) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        const aclError status =
            stream->synchronize(timeoutMs < 0 ? -1 : static_cast<std::int32_t>(std::max<std::int64_t>(left, 0)));
        first = first != ACL_SUCCESS ? first : status;
    }
    return first;
}

std::uint64_t queuedTasks(std::int32_t device) {
    std::uint64_t tasks = 0;
    const Visit visit(runtime(), device);
    for (const Stream* stream : visit.streams) {
        tasks += stream->queued();
    }
    return tasks;
}

aclError reportErrors(const Context& context) {
    const std::lock_guard lock(runtime().mutex);
    for (const Stream* stream : context.streams) {
        if (const std::optional<AsyncError> error = stream->errors()->take()) {
            return failAgain(error->code, error->line);
        }
    }
    return ACL_SUCCESS;
}

}  // namespace aclq
