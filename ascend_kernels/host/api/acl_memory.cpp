// SPDX-License-Identifier: Apache-2.0
// Memory: allocation, registration, copies.
#include "acl/acl_rt.h"
#include "runtime/copy.h"
#include "runtime/device.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

constexpr uint64_t kBlock = 32;
constexpr uint64_t kPage = 4096;

aclError checkRequest(void** pointer, uint64_t size, const char* argument) {
    ACLQ_RETURN_IF_FAILED(requireOut(pointer, argument));
    if (size == 0) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "size", "0", "1 byte or more");
    }
    // Rounding up, the slack, and the alignment of the allocation below.
    return size <= UINT64_MAX - 4 * kBlock ? ACL_SUCCESS
                                           : failArgument(ACL_ERROR_INVALID_PARAM, "size", std::to_string(size),
                                                          "a size whose padding does not overflow");
}

// On these chips an allocation is followed by padding that programs may touch: up to a multiple of 32 bytes, and 32
// more
// (`slack`), unless they requested an allocation without it.
aclError allocateDevice(void** devPtr, size_t size, uint64_t slack) {
    ACLQ_RETURN_IF_FAILED(checkRequest(devPtr, size, "devPtr"));
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    const uint64_t padded = (size + kBlock - 1) / kBlock * kBlock + slack;
    const Settings& settings = runtime().settings;
    return runtime().memory.allocate(devPtr, {.asked = size,
                                              .size = settings.strictSizes() ? size : padded,
                                              .padded = padded,
                                              .kind = MemoryKind::Device,
                                              .device = context->device,
                                              .limit = settings.memoryLimit,
                                              .guarded = settings.guarded(),
                                              .poisoned = settings.poisoned});
}

aclError allocateHost(void** hostPtr, uint64_t size, const char* argument) {
    ACLQ_RETURN_IF_FAILED(checkRequest(hostPtr, size, argument));
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    return runtime().memory.allocate(
        hostPtr, {.asked = size, .size = size, .padded = size, .kind = MemoryKind::Host, .device = -1});
}

aclError release(void* pointer, MemoryKind kind, const char* argument) {
    return pointer != nullptr
               ? runtime().memory.release(pointer, kind)
               : failArgument(ACL_ERROR_INVALID_PARAM, argument, "null", "the start of allocated memory");
}

aclError registerPages(void* ptr, uint64_t size) {
    ACLQ_RETURN_IF_FAILED(checkRequest(&ptr, size, "ptr"));
    if (ptr == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "ptr", "null", "host memory");
    }
    if (AddressSpace::reserved(reinterpret_cast<uintptr_t>(ptr))) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "ptr", text("%p, an address of device memory", ptr),
                            "host memory");
    }
    if (reinterpret_cast<uintptr_t>(ptr) % kPage != 0) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "ptr", text("%p", ptr),
                            "host memory that starts on a boundary of 4096 bytes");
    }
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    return runtime().memory.registerHost(ptr, size);
}

}  // namespace

// The policies choose page sizes, which do not apply to host memory.
aclError aclrtMalloc(void** devPtr, size_t size, aclrtMemMallocPolicy) {
    return aclApi(__func__, [&] { return allocateDevice(devPtr, size, kBlock); });
}

aclError aclrtMallocAlign32(void** devPtr, size_t size, aclrtMemMallocPolicy) {
    return aclApi(__func__, [&] { return allocateDevice(devPtr, size, 0); });
}

aclError aclrtMallocCached(void** devPtr, size_t size, aclrtMemMallocPolicy) {
    return aclApi(__func__, [&] { return allocateDevice(devPtr, size, kBlock); });
}

aclError aclrtMallocWithCfg(void** devPtr, size_t size, aclrtMemMallocPolicy, aclrtMallocConfig*) {
    return aclApi(__func__, [&] { return allocateDevice(devPtr, size, kBlock); });
}

aclError aclrtFree(void* devPtr) {
    return aclApi(__func__, [&] { return release(devPtr, MemoryKind::Device, "devPtr"); });
}

aclError aclrtFreeWithDevSync(void* devPtr) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(synchronizeDevice(-1));
        return release(devPtr, MemoryKind::Device, "devPtr");
    });
}

aclError aclrtMallocHost(void** hostPtr, size_t size) {
    return aclApi(__func__, [&] { return allocateHost(hostPtr, size, "hostPtr"); });
}

aclError aclrtMallocHostWithCfg(void** ptr, uint64_t size, aclrtMallocConfig*) {
    return aclApi(__func__, [&] { return allocateHost(ptr, size, "ptr"); });
}

aclError aclrtFreeHost(void* hostPtr) {
    return aclApi(__func__, [&] { return release(hostPtr, MemoryKind::Host, "hostPtr"); });
}

aclError aclrtFreeHostWithDevSync(void* hostPtr) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(synchronizeDevice(-1));
        return release(hostPtr, MemoryKind::Host, "hostPtr");
    });
}

aclError aclrtHostRegister(void* ptr, uint64_t size, aclrtHostRegisterType type, void** devPtr) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(devPtr, "devPtr"));
        if (type != ACL_HOST_REGISTER_MAPPED) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "type", std::to_string(static_cast<int>(type)),
                                "0 (mapped)");
        }
        ACLQ_RETURN_IF_FAILED(registerPages(ptr, size));
        *devPtr = ptr;
        return ACL_SUCCESS;
    });
}

aclError aclrtHostRegisterV2(void* ptr, uint64_t size, uint32_t flag) {
    return aclApi(__func__, [&]() -> aclError {
        if (flag == 0 || (flag & ~static_cast<uint32_t>(ACL_HOST_REG_MAPPED | ACL_HOST_REG_PINNED)) != 0) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "flag", text("0x%x", flag),
                                "ACL_HOST_REG_MAPPED, ACL_HOST_REG_PINNED or both");
        }
        return registerPages(ptr, size);
    });
}

aclError aclrtHostGetDevicePointer(void* pHost, void** pDevice, uint32_t flag) {
    return aclApi(__func__, [&]() -> aclError {
        if (pHost == nullptr || pDevice == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, pHost == nullptr ? "pHost" : "pDevice", "null",
                                "registered host memory and a pointer for the result");
        }
        Allocation found;
        if (flag != 0 || !runtime().memory.find(reinterpret_cast<uintptr_t>(pHost), found) ||
            found.kind == MemoryKind::Device) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, flag != 0 ? "flag" : "pHost",
                                flag != 0 ? std::to_string(flag) : text("%p", pHost),
                                flag != 0 ? "0" : "registered host memory");
        }
        *pDevice = pHost;
        return ACL_SUCCESS;
    });
}

aclError aclrtHostUnregister(void* ptr) {
    return aclApi(__func__, [&]() -> aclError {
        return ptr != nullptr ? runtime().memory.unregisterHost(ptr)
                              : failArgument(ACL_ERROR_INVALID_PARAM, "ptr", "null", "registered host memory");
    });
}

aclError aclrtPointerGetAttributes(const void* ptr, aclrtPtrAttributes* attributes) {
    return aclApi(__func__, [&]() -> aclError {
        if (ptr == nullptr || attributes == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, ptr == nullptr ? "ptr" : "attributes", "null",
                                "an address and a pointer for the result");
        }
        Context* context = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(context));
        Allocation found;
        *attributes = {};
        attributes->location.type = ACL_MEM_LOCATION_TYPE_UNREGISTERED;
        if (runtime().memory.find(reinterpret_cast<uintptr_t>(ptr), found)) {
            const bool device = found.kind == MemoryKind::Device;
            attributes->location.type = device ? ACL_MEM_LOCATION_TYPE_DEVICE : ACL_MEM_LOCATION_TYPE_HOST;
            attributes->location.id = device ? static_cast<uint32_t>(found.device) : 0;
            attributes->pageSize = kPage;
        }
        return ACL_SUCCESS;
    });
}

aclError aclrtGetMemInfo(aclrtMemAttr attr, size_t* free, size_t* total) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(free, "free"));
        ACLQ_RETURN_IF_FAILED(requireOut(total, "total"));
        if (static_cast<int>(attr) < ACL_DDR_MEM || attr > ACL_MEM_P2P_HUGE1G) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "attr", std::to_string(static_cast<int>(attr)), "0 to 17");
        }
        Context* context = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(context));
        const uint64_t limit = runtime().settings.memoryLimit;
        const uint64_t used = runtime().memory.used(context->device);
        *total = limit;
        *free = used < limit ? limit - used : 0;
        return ACL_SUCCESS;
    });
}

aclError aclrtMemFlush(void* devPtr, size_t size) {
    return aclApi(__func__, [&] { return checkRequest(devPtr != nullptr ? &devPtr : nullptr, size, "devPtr"); });
}

aclError aclrtMemInvalidate(void* devPtr, size_t size) {
    return aclApi(__func__, [&] { return checkRequest(devPtr != nullptr ? &devPtr : nullptr, size, "devPtr"); });
}

aclError aclrtMemset(void* devPtr, size_t maxCount, int32_t value, size_t count) {
    return aclApi(__func__, [&] { return fillNow(devPtr, maxCount, value, count); });
}

aclError aclrtMemsetAsync(void* devPtr, size_t maxCount, int32_t value, size_t count, aclrtStream stream) {
    return aclApi(__func__, [&] { return fillAsync(devPtr, maxCount, value, count, stream); });
}

aclError aclrtMemcpy(void* dst, size_t destMax, const void* src, size_t count, aclrtMemcpyKind kind) {
    return aclApi(__func__, [&] { return copyNow(dst, destMax, src, count, kind); });
}

aclError aclrtMemcpyAsync(void* dst, size_t destMax, const void* src, size_t count, aclrtMemcpyKind kind,
                          aclrtStream stream) {
    return aclApi(__func__, [&] { return copyAsync(dst, destMax, src, count, kind, stream); });
}

aclError aclrtMemcpyAsyncWithCondition(void* dst, size_t destMax, const void* src, size_t count, aclrtMemcpyKind kind,
                                       aclrtStream stream) {
    return aclApi(__func__, [&] { return copyAsync(dst, destMax, src, count, kind, stream); });
}

aclError aclrtMemcpy2d(void* dst, size_t dpitch, const void* src, size_t spitch, size_t width, size_t height,
                       aclrtMemcpyKind kind) {
    return aclApi(__func__, [&] { return copy2d(dst, dpitch, src, spitch, width, height, kind, false, nullptr); });
}

aclError aclrtMemcpy2dAsync(void* dst, size_t dpitch, const void* src, size_t spitch, size_t width, size_t height,
                            aclrtMemcpyKind kind, aclrtStream stream) {
    return aclApi(__func__, [&] { return copy2d(dst, dpitch, src, spitch, width, height, kind, true, stream); });
}
