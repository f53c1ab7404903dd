// SPDX-License-Identifier: Apache-2.0
// Devices, contexts, system parameters.
#include <array>
#include <chrono>

#include "acl/acl_rt.h"
#include "runtime/device.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

aclError checkOption(aclSysParamOpt option, int last) {
    return option >= 0 && option <= last
               ? ACL_SUCCESS
               : failArgument(ACL_ERROR_INVALID_PARAM, "opt", std::to_string(static_cast<int>(option)),
                              text("0 to %d", last));
}

bool hasInfNan(const Soc& soc) {
    return soc.family == Family::A2;
}

}  // namespace

aclError aclrtGetDeviceCount(uint32_t* count) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(count, "count"));
        *count = runtime().settings.deviceCount;
        return ACL_SUCCESS;
    });
}

aclError aclrtSetDevice(int32_t deviceId) {
    return aclApi(__func__, [&] { return setDevice(deviceId); });
}

aclError aclrtGetDevice(int32_t* deviceId) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(deviceId, "deviceId"));
        Context* context = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(context));
        *deviceId = context->device;
        return ACL_SUCCESS;
    });
}

aclError aclrtResetDevice(int32_t deviceId) {
    return aclApi(__func__, [&] { return resetDevice(deviceId, false); });
}

aclError aclrtResetDeviceForce(int32_t deviceId) {
    return aclApi(__func__, [&] { return resetDevice(deviceId, true); });
}

aclError aclrtSynchronizeDevice(void) {
    return aclApi(__func__, [&] { return synchronizeDevice(-1); });
}

aclError aclrtSynchronizeDeviceWithTimeout(int32_t timeout) {
    return aclApi(__func__, [&]() -> aclError {
        if (timeout < -1 || timeout == 0) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "timeout", std::to_string(timeout),
                                "-1 (for ever) or more than 0, in ms");
        }
        return synchronizeDevice(timeout);
    });
}

aclError aclrtGetRunMode(aclrtRunMode* runMode) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(runMode, "runMode"));
        *runMode = ACL_HOST;
        return ACL_SUCCESS;
    });
}

aclError aclrtSetTsDevice(aclrtTsId tsId) {
    return aclApi(__func__, [&]() -> aclError {
        return tsId == ACL_TS_ID_AICORE || tsId == ACL_TS_ID_AIVECTOR
                   ? ACL_SUCCESS
                   : failArgument(ACL_ERROR_INVALID_PARAM, "tsId", std::to_string(static_cast<int>(tsId)), "0 or 1");
    });
}

const char* aclrtGetSocName(void) {
    const Soc* soc = runtime().settings.soc;
    if (soc == nullptr) {
        const FunctionScope scope(__func__);
        checkSoc(ACL_ERROR_RT_SOC_VERSION);
        return nullptr;
    }
    return soc->name;
}

aclError aclGetDeviceCapability(uint32_t deviceId, aclDeviceInfo deviceInfo, int64_t* value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(value, "value"));
        ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
        const uint32_t count = runtime().settings.deviceCount;
        if (deviceId >= count) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "deviceId", std::to_string(deviceId),
                                text("0 to %u", count - 1));
        }
        const Soc& soc = *runtime().settings.soc;
        switch (deviceInfo) {
            case ACL_DEVICE_INFO_AI_CORE_NUM:
                *value = soc.cubeCores;
                return ACL_SUCCESS;
            case ACL_DEVICE_INFO_VECTOR_CORE_NUM:
                *value = soc.vectorCores;
                return ACL_SUCCESS;
            case ACL_DEVICE_INFO_L2_SIZE:
                *value = soc.l2Bytes;
                return ACL_SUCCESS;
            default:
                return failArgument(ACL_ERROR_INVALID_PARAM, "deviceInfo", std::to_string(static_cast<int>(deviceInfo)),
                                    "0 to 2");
        }
    });
}

aclError aclrtGetDeviceInfo(uint32_t deviceId, aclrtDevAttr attr, int64_t* value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(value, "value"));
        ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
        ACLQ_RETURN_IF_FAILED(checkDeviceId(deviceId));
        const Settings& settings = runtime().settings;
        switch (attr) {
            case ACL_DEV_ATTR_AICORE_CORE_NUM:
            case ACL_DEV_ATTR_CUBE_CORE_NUM:
                *value = settings.soc->cubeCores;
                return ACL_SUCCESS;
            case ACL_DEV_ATTR_VECTOR_CORE_NUM:
                *value = settings.soc->vectorCores;
                return ACL_SUCCESS;
            case ACL_DEV_ATTR_TOTAL_GLOBAL_MEM_SIZE:
                *value = static_cast<int64_t>(settings.memoryLimit);
                return ACL_SUCCESS;
            case ACL_DEV_ATTR_L2_CACHE_SIZE:
                *value = settings.soc->l2Bytes;
                return ACL_SUCCESS;
            case ACL_DEV_ATTR_PHY_CHIP_ID:
                *value = deviceId;
                return ACL_SUCCESS;
            case ACL_DEV_ATTR_IS_VIRTUAL:
                *value = 0;
                return ACL_SUCCESS;
            case ACL_DEV_ATTR_NPU_ARCH:
                *value = settings.soc->family == Family::A2 ? 2201 : 2002;
                return ACL_SUCCESS;
            default:
                return fail(
                    ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                    text("argument 'attr': got %d, which the host device does not know", static_cast<int>(attr)));
        }
    });
}

aclError aclGetCannAttributeList(const aclCannAttr** cannAttrList, size_t* num) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(cannAttrList, "cannAttrList"));
        ACLQ_RETURN_IF_FAILED(requireOut(num, "num"));
        ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
        static constexpr std::array attributes{ACL_CANN_ATTR_INF_NAN, ACL_CANN_ATTR_BF16};
        *cannAttrList = attributes.data();
        *num = hasInfNan(*runtime().settings.soc) ? attributes.size() : 0;
        return ACL_SUCCESS;
    });
}

aclError aclGetCannAttribute(aclCannAttr cannAttr, int32_t* value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(value, "value"));
        ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
        if (cannAttr < ACL_CANN_ATTR_INF_NAN || cannAttr > ACL_CANN_ATTR_JIT_COMPILE) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "cannAttr", std::to_string(static_cast<int>(cannAttr)),
                                "0 to 2");
        }
        *value = cannAttr != ACL_CANN_ATTR_JIT_COMPILE && hasInfNan(*runtime().settings.soc) ? 1 : 0;
        return ACL_SUCCESS;
    });
}

aclError aclrtQueryDeviceStatus(int32_t deviceId, aclrtDeviceStatus* deviceStatus) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(deviceStatus, "deviceStatus"));
        ACLQ_RETURN_IF_FAILED(checkDeviceId(deviceId));
        *deviceStatus = ACL_RT_DEVICE_STATUS_NORMAL;
        return ACL_SUCCESS;
    });
}

aclError aclrtSetDeviceSatMode(aclrtFloatOverflowMode mode) {
    return aclApi(__func__, [&]() -> aclError {
        if (mode != ACL_RT_OVERFLOW_MODE_SATURATION && mode != ACL_RT_OVERFLOW_MODE_INFNAN) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "mode", std::to_string(static_cast<int>(mode)),
                                "0 (saturation) or 1 (Inf/NaN)");
        }
        ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
        if (mode == ACL_RT_OVERFLOW_MODE_INFNAN && !hasInfNan(*runtime().settings.soc)) {
            return fail(
                ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                text("argument 'mode': got 1 (Inf/NaN); allowed on %s: 0 (saturation)", runtime().settings.soc->name));
        }
        const Context* context = currentContext();
        // Without one it is the mode of the process, which devices begin with.
        for (size_t device = 0; device < kMaxDevices; ++device) {
            if (context == nullptr || device == static_cast<size_t>(context->device)) {
                runtime().devices[device].saturate = mode == ACL_RT_OVERFLOW_MODE_SATURATION;
            }
        }
        return ACL_SUCCESS;
    });
}

aclError aclrtGetDeviceSatMode(aclrtFloatOverflowMode* mode) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(mode, "mode"));
        Context* context = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(context));
        const bool saturate =
            !hasInfNan(*runtime().settings.soc) || runtime().devices[static_cast<size_t>(context->device)].saturate;
        *mode = saturate ? ACL_RT_OVERFLOW_MODE_SATURATION : ACL_RT_OVERFLOW_MODE_INFNAN;
        return ACL_SUCCESS;
    });
}

aclError aclrtDeviceCanAccessPeer(int32_t* canAccessPeer, int32_t deviceId, int32_t peerDeviceId) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(canAccessPeer, "canAccessPeer"));
        ACLQ_RETURN_IF_FAILED(checkDeviceId(deviceId));
        ACLQ_RETURN_IF_FAILED(checkDeviceId(peerDeviceId, "peerDeviceId"));
        if (deviceId == peerDeviceId) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "peerDeviceId", std::to_string(peerDeviceId),
                                "another device than deviceId");
        }
        *canAccessPeer = 1;
        return ACL_SUCCESS;
    });
}

aclError aclrtDeviceEnablePeerAccess(int32_t peerDeviceId, uint32_t flags) {
    return aclApi(__func__, [&]() -> aclError {
        Context* context = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(context));
        ACLQ_RETURN_IF_FAILED(checkDeviceId(peerDeviceId, "peerDeviceId"));
        if (flags != 0) {
            return failArgument(ACL_ERROR_FEATURE_UNSUPPORTED, "flags", std::to_string(flags), "0");
        }
        if (peerDeviceId == context->device) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "peerDeviceId", std::to_string(peerDeviceId),
                                "another device than the current one");
        }
        const std::lock_guard lock(runtime().mutex);
        runtime().devices[static_cast<size_t>(context->device)].peers.insert(peerDeviceId);
        return ACL_SUCCESS;
    });
}

aclError aclrtDeviceDisablePeerAccess(int32_t peerDeviceId) {
    return aclApi(__func__, [&]() -> aclError {
        Context* context = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(context));
        const std::lock_guard lock(runtime().mutex);
        const bool enabled = runtime().devices[static_cast<size_t>(context->device)].peers.erase(peerDeviceId) != 0;
        return enabled ? ACL_SUCCESS
                       : failArgument(ACL_ERROR_RT_PARAM_INVALID, "peerDeviceId", std::to_string(peerDeviceId),
                                      "a device whose access was enabled");
    });
}

aclError aclrtGetPrimaryCtxState(int32_t deviceId, uint32_t* flags, int32_t* active) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(active, "active"));
        ACLQ_RETURN_IF_FAILED(checkDeviceId(deviceId));
        const std::lock_guard lock(runtime().mutex);
        *active = runtime().devices[static_cast<size_t>(deviceId)].primary != nullptr ? 1 : 0;
        if (flags != nullptr) {
            *flags = 0;
        }
        return ACL_SUCCESS;
    });
}

aclError aclrtCreateContext(aclrtContext* context, int32_t deviceId) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(context, "context"));
        Context* made = nullptr;
        ACLQ_RETURN_IF_FAILED(createContext(&made, deviceId));
        *context = made;
        return ACL_SUCCESS;
    });
}

aclError aclrtDestroyContext(aclrtContext context) {
    return aclApi(__func__, [&] { return destroyContext(context); });
}

aclError aclrtSetCurrentContext(aclrtContext context) {
    return aclApi(__func__, [&]() -> aclError {
        if (context == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "context", "null", "a live aclrtContext");
        }
        Context* found = runtime().contexts.find(context);
        if (found == nullptr) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "context", text("%p", context), "a live aclrtContext");
        }
        setCurrentContext(found);
        return ACL_SUCCESS;
    });
}

aclError aclrtGetCurrentContext(aclrtContext* context) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(context, "context"));
        Context* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(found));
        *context = found;
        return ACL_SUCCESS;
    });
}

aclError aclrtCtxGetCurrentDefaultStream(aclrtStream* stream) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(stream, "stream"));
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(nullptr, found));
        *stream = found;
        return ACL_SUCCESS;
    });
}

aclError aclrtCtxGetSysParamOpt(aclSysParamOpt opt, int64_t* value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(value, "value"));
        ACLQ_RETURN_IF_FAILED(checkOption(opt, ACL_OPT_STRONG_CONSISTENCY));
        Context* context = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(context));
        const std::lock_guard lock(runtime().mutex);
        const auto found = context->options.find(opt);
        if (found == context->options.end()) {
            return fail(ACL_ERROR_RT_SYSPARAMOPT_NOT_SET,
                        text("argument 'opt': option %d was never set on this context", static_cast<int>(opt)));
        }
        *value = found->second;
        return ACL_SUCCESS;
    });
}

aclError aclrtCtxSetSysParamOpt(aclSysParamOpt opt, int64_t value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(checkOption(opt, ACL_OPT_STRONG_CONSISTENCY));
        Context* context = nullptr;
        ACLQ_RETURN_IF_FAILED(requireContext(context));
        const std::lock_guard lock(runtime().mutex);
        context->options[opt] = value;
        return ACL_SUCCESS;
    });
}

aclError aclrtGetSysParamOpt(aclSysParamOpt opt, int64_t* value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(value, "value"));
        ACLQ_RETURN_IF_FAILED(checkOption(opt, ACL_OPT_ENABLE_KERNEL_EARLY_START));
        const std::lock_guard lock(runtime().mutex);
        const auto found = runtime().options.find(opt);
        *value = found == runtime().options.end() ? 0 : found->second;
        return ACL_SUCCESS;
    });
}

aclError aclrtSetSysParamOpt(aclSysParamOpt opt, int64_t value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(checkOption(opt, ACL_OPT_ENABLE_KERNEL_EARLY_START));
        const std::lock_guard lock(runtime().mutex);
        runtime().options[opt] = value;
        return ACL_SUCCESS;
    });
}
