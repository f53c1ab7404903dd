// SPDX-License-Identifier: Apache-2.0
// Profiler, dump, and settings without effect here: calls are accepted and ignored.
#include <atomic>
#include <chrono>

#include "acl/acl_mdl.h"
#include "acl/acl_rt.h"
#include "aclquant/other_libraries.h"
#include "runtime/device.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

std::atomic<bool> dumping{false};

aclError requireDump() {
    return dumping ? ACL_SUCCESS : fail(ACL_ERROR_DUMP_NOT_RUN, "no dump was begun with aclmdlInitDump");
}

}  // namespace

aclError aclmdlInitDump(void) {
    return aclApi(__func__, []() -> aclError {
        const std::lock_guard lock(runtime().mutex);
        if (runtime().initialisations == 0) {
            return fail(ACL_ERROR_UNINITIALIZE, "aclInit comes first");
        }
        return dumping.exchange(true) ? fail(ACL_ERROR_REPEAT_INITIALIZE, "a dump was begun already") : ACL_SUCCESS;
    });
}

// Accepted, with nothing dumped: the operators of the host device can be watched with a debugger.
aclError aclmdlSetDump(const char*) {
    return aclApi(__func__, [] { return requireDump(); });
}

aclError aclmdlFinalizeDump(void) {
    return aclApi(__func__, []() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireDump());
        dumping = false;
        return ACL_SUCCESS;
    });
}

// Operators of the host device always end; the time limit is not stored.
aclError aclrtSetOpExecuteTimeOut(uint32_t) {
    return ACL_SUCCESS;
}

aclError aclrtSetOpExecuteTimeOutV2(uint64_t timeout, uint64_t* actualTimeout) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(actualTimeout, "actualTimeout"));
        *actualTimeout = timeout;
        return ACL_SUCCESS;
    });
}

int32_t MsprofRegisterCallback(uint32_t, ProfCommandHandle) {
    return 0;
}
int32_t MsprofReportApi(uint32_t, const MsprofApi*) {
    return 0;
}
int32_t MsprofReportCompactInfo(uint32_t, const void*, uint32_t) {
    return 0;
}
int32_t MsprofReportAdditionalInfo(uint32_t, const void*, uint32_t) {
    return 0;
}

// FNV-1a: equal texts have equal numbers.
uint64_t MsprofGetHashId(const char* hashInfo, size_t length) {
    uint64_t hash = 14695981039346656037ULL;
    for (size_t index = 0; hashInfo != nullptr && index < length; ++index) {
        hash = (hash ^ static_cast<unsigned char>(hashInfo[index])) * 1099511628211ULL;
    }
    return hash;
}

uint64_t MsprofSysCycleTime(void) {
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// All results are deterministic, whatever the setting.
int32_t HcclSetConfig(HcclConfig, HcclConfigValue) {
    return 0;
}
