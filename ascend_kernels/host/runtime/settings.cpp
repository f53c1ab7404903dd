// SPDX-License-Identifier: Apache-2.0
#include "runtime/settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/status.h"

namespace aclq {
namespace {

constexpr std::uint64_t kGiB = 1ull << 30;

constexpr std::array kSocs{
    Soc{"Ascend910B1", Family::A2, 24, 48, 201326592, 64 * kGiB},
    Soc{"Ascend910B2", Family::A2, 24, 48, 201326592, 64 * kGiB},
    Soc{"Ascend910B2C", Family::A2, 24, 48, 201326592, 64 * kGiB},
    Soc{"Ascend910B3", Family::A2, 20, 40, 201326592, 64 * kGiB},
    Soc{"Ascend910B4", Family::A2, 20, 40, 100663296, 32 * kGiB},
    Soc{"Ascend910B4-1", Family::A2, 20, 40, 176160768, 32 * kGiB},
    Soc{"Ascend910_9391", Family::A2, 24, 48, 201326592, 64 * kGiB},
    Soc{"Ascend910_9392", Family::A2, 24, 48, 201326592, 64 * kGiB},
    Soc{"Ascend910_9381", Family::A2, 24, 48, 201326592, 64 * kGiB},
    Soc{"Ascend910_9382", Family::A2, 24, 48, 201326592, 64 * kGiB},
    Soc{"Ascend910_9372", Family::A2, 20, 40, 201326592, 64 * kGiB},
    Soc{"Ascend910_9362", Family::A2, 20, 40, 176160768, 64 * kGiB},
    Soc{"Ascend910_9363", Family::A2, 20, 40, 176160768, 32 * kGiB},
    Soc{"Ascend310P1", Family::InferenceSeries, 10, 8, 16777216, 24000000000},
    Soc{"Ascend310P3", Family::InferenceSeries, 8, 7, 16777216, 24000000000},
    Soc{"Ascend310P5", Family::InferenceSeries, 8, 7, 16777216, 24000000000},
    Soc{"Ascend310P7", Family::InferenceSeries, 8, 7, 16777216, 24000000000},
};

// A number from the environment, or the fallback when it is missing or no number.
std::uint64_t number(const char* variable, std::uint64_t fallback) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') {
        return fallback;
    }
    char* end = nullptr;
    const unsigned long long parsed = std::strtoull(value, &end, 10);
    return *end == '\0' && *value != '-' ? parsed : fallback;
}

}  // namespace

const Soc* findSoc(const std::string& name) {
    const auto found = std::find_if(kSocs.begin(), kSocs.end(), [&](const Soc& soc) { return name == soc.name; });
    return found == kSocs.end() ? nullptr : &*found;
}

std::string supportedSocs() {
    std::string names;
    for (const Soc& soc : kSocs) {
        names += names.empty() ? soc.name : std::string(", ") + soc.name;
    }
    return names;
}

bool parseVersion(const std::string& text, Version& version) {
    Version parsed;
    parsed.text = text;
    parsed.patch = 0;
    if (std::sscanf(text.c_str(), "%d.%d.%d", &parsed.major, &parsed.minor, &parsed.patch) < 2) {
        return false;
    }
    version = parsed;
    return true;
}

Settings Settings::fromEnvironment() {
    Settings settings;
    if (const char* name = std::getenv("ACLQUANT_HOST_SOC"); name != nullptr && *name != '\0') {
        settings.socName = name;
    }
    settings.soc = findSoc(settings.socName);
    if (const char* version = std::getenv("ACLQUANT_HOST_VERSION"); version != nullptr && *version != '\0') {
        if (!parseVersion(version, settings.version)) {
            settings.badVersion = version;
        }
    }
    settings.deviceCount =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(number("ACLQUANT_HOST_DEVICES", 1), 1, kMaxDevices));
    // A device cannot hold more than this machine does.
    const std::uint64_t physical =
        static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    const std::uint64_t chip = settings.soc != nullptr ? settings.soc->memoryBytes : 64 * kGiB;
    settings.memoryLimit = number("ACLQUANT_HOST_MEMORY_LIMIT", std::min(chip, physical));
    settings.strictSoc = number("ACLQUANT_HOST_STRICT_SOC", 0) != 0;
    settings.workspaceBytes = number("ACLQUANT_HOST_WORKSPACE", settings.workspaceBytes);
    const char* memory = std::getenv("ACLQUANT_HOST_MEMORY");
    settings.guarded = memory == nullptr || std::strcmp(memory, "plain") != 0;
    settings.poisoned = number("ACLQUANT_HOST_POISON", 1) != 0;
    settings.report = number("ACLQUANT_HOST_REPORT", 0) != 0;
    settings.taskDelay = std::min(number("ACLQUANT_HOST_DELAY", 0), kMaxTaskDelay);
    return settings;
}

std::string Settings::problem() const {
    if (!badVersion.empty()) {
        return text("ACLQUANT_HOST_VERSION is '%.64s'; allowed: major.minor[.patch], such as 9.1.0",
                    badVersion.c_str());
    }
    if (soc != nullptr) {
        return {};
    }
    const bool family950 = socName.rfind("Ascend950", 0) == 0 || socName.rfind("Ascend350", 0) == 0;
    return text("SoC name '%s' is not supported by the host device%s; supported: %s", socName.c_str(),
                family950 ? " (its arithmetic of the Ascend 950 family is not implemented)" : "",
                supportedSocs().c_str());
}

}  // namespace aclq
