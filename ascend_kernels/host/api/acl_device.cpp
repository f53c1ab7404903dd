// SPDX-License-Identifier: Apache-2.0
// Devices, contexts, system parameters.
#include <array>
#include <chrono>

#include "acl/acl_rt.h"
#include "runtime/device.h"
#include "runtime/device_info.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

aclError checkOption(aclSysParamOpt option, int last) {
    return option >= 0 && option <= last
               ? ACL_SUCCESS
               : failArgument(ACL_ERROR_INVALID_PARAM, "opt", std::to_string(static_cast<int>(option)),
                              text("0 to %d", last));
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
        ACLQ_RETURN_IF_FAILED(checkTimeout(timeout));
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
        return readCapability(deviceId, deviceInfo, *value);
    });
}

aclError aclrtGetDeviceInfo(uint32_t deviceId, aclrtDevAttr attr, int64_t* value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(value, "value"));
        return readInfo(deviceId, attr, *value);
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
    return aclApi(__func__, [&] { return setOverflowMode(mode); });
}

aclError aclrtGetDeviceSatMode(aclrtFloatOverflowMode* mode) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(mode, "mode"));
        return readOverflowMode(*mode);
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
