// SPDX-License-Identifier: Apache-2.0
// Controls of the host device (include/aclquant/host_device.h).
#include "aclquant/host_device.h"

#include "meta/pools.h"
#include "meta/report.h"
#include "runtime/device.h"
#include "runtime/status.h"
#include "runtime/thread_pool.h"
#include "simd/kernels.h"

using namespace aclq;

namespace {

// Changes a setting; the chip and the number of devices cannot change under a live context.
template <class Change>
aclError change(const char* name, Change&& apply) {
    return aclApi(name, [&]() -> aclError {
        Runtime& state = runtime();
        const std::lock_guard lock(state.mutex);
        if (state.inUse()) {
            return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                        "a device is in use; settings change only while no context exists");
        }
        return apply(state);
    });
}

aclError lend(const char* name, const aclquantRange* ranges, uint64_t count) {
    return aclApi(name, [&]() -> aclError {
        for (uint64_t index = 0; ranges != nullptr && index < count; ++index) {
            if (ranges[index].ptr == nullptr) {
                return failArgument(ACL_ERROR_INVALID_PARAM, "ptr", "null", "host memory");
            }
            if (AddressSpace::reserved(reinterpret_cast<uintptr_t>(ranges[index].ptr))) {
                return failArgument(ACL_ERROR_INVALID_PARAM, "ptr",
                                    text("%p, an address of device memory", ranges[index].ptr), "host memory");
            }
        }
        if (ranges == nullptr && count > 0) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "ranges", "null", "an array of ranges");
        }
        runtime().memory.lend({ranges, count});
        return ACL_SUCCESS;
    });
}

aclError takeBack(const char* name, const aclquantRange* ranges, uint64_t count) {
    return aclApi(name, [&]() -> aclError {
        if (ranges == nullptr && count > 0) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "ranges", "null", "an array of ranges");
        }
        return runtime().memory.takeBack({ranges, count})
                   ? ACL_SUCCESS
                   : failArgument(ACL_ERROR_HOST_MEMORY_NOT_REGISTERED, "ptr", "memory that was not lent",
                                  "memory lent with aclquantHostRegister, with the same size");
    });
}

// Callable from any thread, even one that does not use the device.
template <class Act>
aclError onStream(const char* name, aclrtStream handle, Act&& act) {
    return aclApi(name, [&]() -> aclError {
        Stream* stream = runtime().streams.find(handle);
        if (stream == nullptr && handle == nullptr) {
            ACLQ_RETURN_IF_FAILED(requireStream(nullptr, stream));
        }
        if (stream == nullptr) {
            return failArgument(ACL_ERROR_RT_INVALID_HANDLE, "stream", text("%p", handle), "a live aclrtStream");
        }
        act(*stream);
        return ACL_SUCCESS;
    });
}

}  // namespace

const char* aclquantVersion(void) {
    return ACLQUANT_VERSION;
}

int32_t aclquantGetCapability(aclquantCapability capability) {
    return capability == ACLQUANT_CAPABILITY_HOST_MEMORY ? 1 : 0;
}

aclError aclquantHostRegister(const void* ptr, uint64_t size) {
    const aclquantRange range{ptr, size};
    return lend(__func__, &range, 1);
}

aclError aclquantHostUnregister(const void* ptr, uint64_t size) {
    const aclquantRange range{ptr, size};
    return takeBack(__func__, &range, 1);
}

aclError aclquantHostRegisterRanges(const aclquantRange* ranges, uint64_t count) {
    return lend(__func__, ranges, count);
}
aclError aclquantHostUnregisterRanges(const aclquantRange* ranges, uint64_t count) {
    return takeBack(__func__, ranges, count);
}

aclError aclquantSetSocName(const char* name) {
    return change(__func__, [&](Runtime& state) -> aclError {
        if (name == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "name", "null", supportedSocs());
        }
        Settings changed = state.settings;
        changed.socName = keepForever(name);
        changed.soc = findSoc(name);
        if (const std::string problem = changed.problem(); !problem.empty()) {
            return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, problem);
        }
        state.settings.soc = changed.soc;
        state.settings.socName = changed.socName;
        return ACL_SUCCESS;
    });
}

aclError aclquantSetVersion(const char* version) {
    return change(__func__, [&](Runtime& state) -> aclError {
        if (version == nullptr || !parseVersion(version, state.settings.version)) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "version", version != nullptr ? version : "null",
                                "major.minor[.patch], such as " ACLQUANT_CANN_VERSION);
        }
        state.settings.badVersion = nullptr;
        return ACL_SUCCESS;
    });
}

aclError aclquantSetDeviceCount(uint32_t count) {
    return change(__func__, [&](Runtime& state) -> aclError {
        if (count < 1 || count > kMaxDevices) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "count", std::to_string(count), text("1 to %u", kMaxDevices));
        }
        for (Device& device : state.devices) {
            device.saturate = false;
            device.peers.clear();
        }
        state.settings.deviceCount = count;
        return ACL_SUCCESS;
    });
}

// Limits may change at any time; they apply to later calls.
aclError aclquantSetMemoryLimit(uint64_t bytes) {
    return aclApi(__func__, [&]() -> aclError {
        runtime().settings.memoryLimit = bytes;
        return ACL_SUCCESS;
    });
}

aclError aclquantSetStrictSoc(int32_t strict) {
    return aclApi(__func__, [&]() -> aclError {
        runtime().settings.strictSoc = strict != 0;
        return ACL_SUCCESS;
    });
}

aclError aclquantSetWorkspaceSize(uint64_t bytes) {
    return aclApi(__func__, [&]() -> aclError {
        runtime().settings.workspaceBytes = bytes;
        return ACL_SUCCESS;
    });
}

aclError aclquantSetMemoryMode(const char* mode) {
    return aclApi(__func__, [&]() -> aclError {
        const std::string name = mode != nullptr ? mode : "null";
        MemoryMode found{};
        if (!findMemoryMode(name, found)) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "mode", name, "guarded, strict, plain");
        }
        runtime().settings.memory = found;
        return ACL_SUCCESS;
    });
}

aclError aclquantSetPoison(int32_t poison) {
    return aclApi(__func__, [&]() -> aclError {
        runtime().settings.poisoned = poison != 0;
        return ACL_SUCCESS;
    });
}

aclError aclquantSetThreadCount(uint32_t count) {
    return aclApi(__func__, [&]() -> aclError {
        if (count == 0) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "count", "0", "1 or more");
        }
        setThreadCount(count);
        return ACL_SUCCESS;
    });
}

uint32_t aclquantGetThreadCount(void) {
    return threadCount();
}

const char* aclquantListIsas(void) {
    std::string list;
    for (const Kernels* variant : usableKernels()) {
        list += list.empty() ? variant->name : std::string(",") + variant->name;
    }
    return keepForever(list);
}

const char* aclquantGetIsa(void) {
    return kernels().name;
}

aclError aclquantSetIsa(const char* name) {
    return aclApi(__func__, [&]() -> aclError {
        return chooseKernels(name)
                   ? ACL_SUCCESS
                   : failArgument(ACL_ERROR_INVALID_PARAM, "name", text("'%.32s'", name), aclquantListIsas());
    });
}

aclError aclquantStallStream(aclrtStream stream) {
    return onStream(__func__, stream, [](Stream& found) { found.stall(); });
}

aclError aclquantResumeStream(aclrtStream stream) {
    return onStream(__func__, stream, [](Stream& found) { found.resume(); });
}

aclError aclquantDelayStream(aclrtStream stream, uint64_t microseconds) {
    if (microseconds > kMaxTaskDelay) {
        return aclApi(__func__, [&]() -> aclError {
            return failArgument(ACL_ERROR_INVALID_PARAM, "microseconds", std::to_string(microseconds),
                                text("0 to %llu", static_cast<unsigned long long>(kMaxTaskDelay)));
        });
    }
    return onStream(__func__, stream, [&](Stream& found) { found.delay(microseconds); });
}

aclError aclquantReport(void) {
    return aclApi(__func__, []() -> aclError {
        report("now");
        return ACL_SUCCESS;
    });
}

aclError aclquantGetCounters(aclquantCounters* out) {
    return aclApi(__func__, [&]() -> aclError {
        if (out == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "out", "null", "a pointer to aclquantCounters");
        }
        Runtime& state = runtime();
        const Pools& meta = pools();
        const std::lock_guard lock(state.mutex);
        *out = {};
        out->tensors = meta.tensors.live();
        out->executors = meta.executors.live();
        out->scalars = meta.scalars.live();
        out->arrays = meta.intArrays.live() + meta.floatArrays.live() + meta.boolArrays.live();
        out->lists = meta.tensorLists.live() + meta.scalarLists.live();
        out->streams = state.streams.live();
        out->events = state.events.live();
        out->contexts = state.contexts.live();
        out->deviceBuffers = state.memory.count(MemoryKind::Device);
        out->hostBuffers = state.memory.count(MemoryKind::Host);
        for (uint32_t device = 0; device < state.settings.deviceCount; ++device) {
            out->deviceBytes += state.memory.used(static_cast<int32_t>(device));
            out->queuedTasks += queuedTasks(static_cast<int32_t>(device));
        }
        return ACL_SUCCESS;
    });
}
