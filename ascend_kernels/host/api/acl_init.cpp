// SPDX-License-Identifier: Apache-2.0
// Initialise and finalise, versions, error texts, log.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "acl/acl_rt.h"
#include "aclquant/host_device.h"
#include "meta/report.h"
#include "runtime/device.h"
#include "runtime/environment.h"
#include "runtime/status.h"
#include "simd/kernels.h"

using namespace aclq;

namespace {

// The version of the ACL programming interface, which is independent of CANN's version.
constexpr int32_t kApiMajor = 1;
constexpr int32_t kApiMinor = 17;
constexpr int32_t kApiPatch = 0;

template <size_t N>
void copyText(char (&target)[N], const std::string& source) {
    std::snprintf(target, N, "%s", source.c_str());
}

// The number in "default_device": "0"; -1 if it is missing.
int32_t defaultDevice(const std::string& config) {
    const size_t key = config.find("\"default_device\"");
    const size_t colon = key == std::string::npos ? key : config.find(':', key);
    const size_t digit = colon == std::string::npos ? colon : config.find_first_not_of(": \t\r\n\"", colon);
    if (digit == std::string::npos || config[digit] < '0' || config[digit] > '9') {
        return -1;
    }
    return static_cast<int32_t>(std::strtol(config.c_str() + digit, nullptr, 10));
}

aclError configure(Runtime& state, const char* path) {
    if (path == nullptr) {
        return ACL_SUCCESS;
    }
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) {
        return failArgument(ACL_ERROR_INVALID_FILE, "configPath", text("'%s', which cannot be read", path),
                            "a readable JSON file or null");
    }
    std::string config;
    for (int letter = std::fgetc(file); letter != EOF; letter = std::fgetc(file)) {
        config.push_back(static_cast<char>(letter));
    }
    std::fclose(file);
    const size_t first = config.find_first_not_of(" \t\r\n");
    if (first == std::string::npos || config[first] != '{') {
        return failArgument(ACL_ERROR_PARSE_FILE, "configPath", text("'%s', which holds no JSON object", path),
                            "a JSON file, {} at least");
    }
    // Of all possible settings, only this one affects the host device.
    const int32_t device = defaultDevice(config);
    if (device >= 0) {
        ACLQ_RETURN_IF_FAILED(checkDeviceId(device, "default_device"));
        state.defaultDevice = device;
    }
    return ACL_SUCCESS;
}

// If the requested variant is unknown or this processor cannot run it, the kernels use the best one.
void checkIsa() {
    const char* wanted = textFrom("ACLQUANT_HOST_ISA");
    const auto usable = usableKernels();
    if (wanted != nullptr && std::none_of(usable.begin(), usable.end(), [&](const Kernels* variant) {
            return std::strcmp(variant->name, wanted) == 0;
        })) {
        reportRefusedValue("ACLQUANT_HOST_ISA", aclquantListIsas(), text("%s holds", kernels().name).c_str());
    }
}

aclError finaliseOnce(Runtime& state) {
    if (state.finalised) {
        return fail(ACL_ERROR_REPEAT_FINALIZE, "the process has finalised already");
    }
    state.finalised = true;
    state.initialisations = 0;
    reportIfAsked("at aclFinalize");
    return ACL_SUCCESS;
}

}  // namespace

aclError aclInit(const char* configPath) {
    return aclApi(__func__, [&]() -> aclError {
        Runtime& state = runtime();
        const std::lock_guard lock(state.mutex);
        if (state.initialisations > 0) {
            ++state.initialisations;
            return fail(ACL_ERROR_REPEAT_INITIALIZE,
                        "the process is initialised already; callers may take this as success");
        }
        ACLQ_RETURN_IF_FAILED(configure(state, configPath));
        ACLQ_RETURN_IF_FAILED(checkSoc(ACL_ERROR_INTERNAL_ERROR));
        checkIsa();
        reportAtExitIfAsked();
        state.initialisations = 1;
        state.finalised = false;
        return ACL_SUCCESS;
    });
}

aclError aclFinalize(void) {
    return aclApi(__func__, [&]() -> aclError {
        Runtime& state = runtime();
        const std::lock_guard lock(state.mutex);
        return finaliseOnce(state);
    });
}

aclError aclFinalizeReference(uint64_t* refCount) {
    return aclApi(__func__, [&]() -> aclError {
        Runtime& state = runtime();
        const std::lock_guard lock(state.mutex);
        if (state.initialisations == 0) {
            return fail(ACL_ERROR_REPEAT_FINALIZE, "the process is not initialised");
        }
        if (--state.initialisations == 0) {
            state.finalised = true;
            reportIfAsked("at aclFinalizeReference");
        }
        if (refCount != nullptr) {
            *refCount = state.initialisations;
        }
        return ACL_SUCCESS;
    });
}

const char* aclGetRecentErrMsg(void) {
    return takeMessages();
}
aclError aclrtPeekAtLastError(aclrtLastErrLevel level) {
    return level == ACL_RT_THREAD_LEVEL ? lastError() : ACL_ERROR_INVALID_PARAM;
}
aclError aclrtGetLastError(aclrtLastErrLevel level) {
    return level == ACL_RT_THREAD_LEVEL ? takeLastError() : ACL_ERROR_INVALID_PARAM;
}

aclError aclrtGetVersion(int32_t* majorVersion, int32_t* minorVersion, int32_t* patchVersion) {
    return aclApi(__func__, [&]() -> aclError {
        if (majorVersion == nullptr || minorVersion == nullptr || patchVersion == nullptr) {
            return fail(ACL_ERROR_INVALID_PARAM, "a result pointer is null; allowed: three pointers to int32_t");
        }
        *majorVersion = kApiMajor;
        *minorVersion = kApiMinor;
        *patchVersion = kApiPatch;
        return ACL_SUCCESS;
    });
}

aclError aclsysGetCANNVersion(aclCANNPackageName name, aclCANNPackageVersion* version) {
    return aclApi(__func__, [&]() -> aclError {
        if (version == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "version", "null", "a pointer to aclCANNPackageVersion");
        }
        if (name < ACL_PKG_NAME_CANN || name > ACL_PKG_NAME_DRIVER) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "name", std::to_string(static_cast<int>(name)), "0 to 7");
        }
        const Version& reported = runtime().settings.version;
        std::memset(version, 0, sizeof *version);
        copyText(version->version, reported.text.get());
        copyText(version->majorVersion, std::to_string(reported.major.get()));
        copyText(version->minorVersion, std::to_string(reported.minor.get()));
        copyText(version->releaseVersion, "");
        copyText(version->patchVersion, std::to_string(reported.patch.get()));
        return ACL_SUCCESS;
    });
}

aclError aclsysGetVersionStr(char* pkgName, char* versionStr) {
    return aclApi(__func__, [&]() -> aclError {
        if (pkgName == nullptr || versionStr == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, pkgName == nullptr ? "pkgName" : "versionStr", "null",
                                "a package name and room for 128 characters");
        }
        std::snprintf(versionStr, 128, "%s", runtime().settings.version.text.get());
        return ACL_SUCCESS;
    });
}

aclError aclsysGetVersionNum(char* pkgName, int32_t* versionNum) {
    return aclApi(__func__, [&]() -> aclError {
        if (pkgName == nullptr || versionNum == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, pkgName == nullptr ? "pkgName" : "versionNum", "null",
                                "a package name and a pointer to int32_t");
        }
        const Version& version = runtime().settings.version;
        *versionNum = version.major * 10'000'000 + version.minor * 100'000 + version.patch * 1'000;
        return ACL_SUCCESS;
    });
}

void aclAppLog(aclLogLevel logLevel, const char* func, const char* file, uint32_t line, const char* fmt, ...) {
    const char* threshold = std::getenv("ASCEND_GLOBAL_LOG_LEVEL");
    const int least = threshold != nullptr && *threshold >= '0' && *threshold <= '4' ? *threshold - '0' : ACL_ERROR;
    if (fmt == nullptr || static_cast<int>(logLevel) < least) {
        return;
    }
    static const char* const names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
    char message[1024];
    va_list arguments;
    va_start(arguments, fmt);
    std::vsnprintf(message, sizeof message, fmt, arguments);
    va_end(arguments);
    std::fprintf(stderr, "[%s] %s:%u %s: %s\n", logLevel >= ACL_DEBUG && logLevel <= ACL_ERROR ? names[logLevel] : "?",
                 file != nullptr ? file : "", line, func != nullptr ? func : "", message);
}
