// SPDX-License-Identifier: Apache-2.0
#include "runtime/device_info.h"

#include "runtime/device.h"
#include "runtime/status.h"

namespace aclq {

bool hasInfNan(const Soc& soc) {
    return soc.family == Family::A2;
}

aclError readCapability(std::uint32_t device, aclDeviceInfo which, std::int64_t& value) {
    ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
    const uint32_t count = runtime().settings.deviceCount;
    if (device >= count) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "deviceId", std::to_string(device), text("0 to %u", count - 1));
    }
    const Soc& soc = *runtime().settings.soc;
    switch (which) {
        case ACL_DEVICE_INFO_AI_CORE_NUM:
            value = soc.cubeCores;
            return ACL_SUCCESS;
        case ACL_DEVICE_INFO_VECTOR_CORE_NUM:
            value = soc.vectorCores;
            return ACL_SUCCESS;
        case ACL_DEVICE_INFO_L2_SIZE:
            value = soc.l2Bytes;
            return ACL_SUCCESS;
        default:
            return failArgument(ACL_ERROR_INVALID_PARAM, "deviceInfo", std::to_string(static_cast<int>(which)),
                                "0 to 2");
    }
}

aclError readInfo(std::uint32_t device, aclrtDevAttr which, std::int64_t& value) {
    ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_RT_SOC_VERSION));
    ACLQ_RETURN_IF_FAILED(checkDeviceId(device));
    const Settings& settings = runtime().settings;
    switch (which) {
        case ACL_DEV_ATTR_AICORE_CORE_NUM:
        case ACL_DEV_ATTR_CUBE_CORE_NUM:
            value = settings.soc->cubeCores;
            return ACL_SUCCESS;
        case ACL_DEV_ATTR_VECTOR_CORE_NUM:
            value = settings.soc->vectorCores;
            return ACL_SUCCESS;
        case ACL_DEV_ATTR_TOTAL_GLOBAL_MEM_SIZE:
            value = static_cast<int64_t>(settings.memoryLimit);
            return ACL_SUCCESS;
        case ACL_DEV_ATTR_L2_CACHE_SIZE:
            value = settings.soc->l2Bytes;
            return ACL_SUCCESS;
        case ACL_DEV_ATTR_PHY_CHIP_ID:
            value = device;
            return ACL_SUCCESS;
        case ACL_DEV_ATTR_IS_VIRTUAL:
            value = 0;
            return ACL_SUCCESS;
        case ACL_DEV_ATTR_NPU_ARCH:
            value = settings.soc->family == Family::A2 ? 2201 : 2002;
            return ACL_SUCCESS;
        default:
            return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                        text("argument 'attr': got %d, which the host device does not know", static_cast<int>(which)));
    }
}

aclError setOverflowMode(aclrtFloatOverflowMode mode) {
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
    // Without a device, the mode of the process, with which devices start.
    for (size_t device = 0; device < kMaxDevices; ++device) {
        if (context == nullptr || device == static_cast<size_t>(context->device)) {
            runtime().devices[device].saturate = mode == ACL_RT_OVERFLOW_MODE_SATURATION;
        }
    }
    return ACL_SUCCESS;
}

aclError readOverflowMode(aclrtFloatOverflowMode& mode) {
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    const bool saturate =
        !hasInfNan(*runtime().settings.soc) || runtime().devices[static_cast<size_t>(context->device)].saturate;
    mode = saturate ? ACL_RT_OVERFLOW_MODE_SATURATION : ACL_RT_OVERFLOW_MODE_INFNAN;
    return ACL_SUCCESS;
}

}  // namespace aclq
