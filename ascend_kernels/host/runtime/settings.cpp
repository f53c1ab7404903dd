// SPDX-License-Identifier: Apache-2.0
#include "runtime/settings.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "runtime/environment.h"
#include "runtime/kept_texts.h"
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

const char* keepForever(const std::string& text) {
    static constinit KeptTexts kept;
    return kept.keep(text);
}

bool parseVersion(const std::string& text, Version& version) {
    int major = 0;
    int minor = 0;
    int patch = 0;
    int read = 0;
    // Not "%d.%d.%d" alone: signs, blanks and numbers that overflow would pass.
    if (text.find_first_not_of("0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") !=
            std::string::npos ||
        std::sscanf(text.c_str(), "%6d.%6d%n.%6d", &major, &minor, &read, &patch) < 2 || major < 0 || minor < 0 ||
        patch < 0 || (text[static_cast<std::size_t>(read)] != '\0' && text[static_cast<std::size_t>(read)] != '.')) {
        return false;
    }
    version.major = major;
    version.minor = minor;
    version.patch = patch;
    version.text = keepForever(text);
    return true;
}

bool findMemoryMode(const std::string& name, MemoryMode& mode) {
    if (name == "guarded") {
        mode = MemoryMode::Guarded;
    } else if (name == "strict") {
        mode = MemoryMode::Strict;
    } else if (name == "plain") {
        mode = MemoryMode::Plain;
    } else {
        return false;
    }
    return true;
}

Settings Settings::fromEnvironment() {
    reportUnknownVariables();
    Settings settings;
    if (const char* name = textFrom("ACLQUANT_HOST_SOC")) {
        settings.socName = keepForever(name);
    }
    settings.soc = findSoc(settings.socName.get());
    parseVersion(ACLQUANT_CANN_VERSION, settings.version);
    if (const char* version = textFrom("ACLQUANT_HOST_VERSION"); version != nullptr) {
        if (!parseVersion(version, settings.version)) {
            settings.badVersion = keepForever(version);
        }
    }
    settings.deviceCount = static_cast<std::uint32_t>(numberFrom("ACLQUANT_HOST_DEVICES", 1, kMaxDevices, 1));
    // A device cannot have more memory than this machine.
    const std::uint64_t physical =
        static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    const std::uint64_t chip = settings.soc != nullptr ? settings.soc->memoryBytes : 64 * kGiB;
    settings.memoryLimit = numberFrom("ACLQUANT_HOST_MEMORY_LIMIT", 0, UINT64_MAX, std::min(chip, physical));
    settings.strictSoc = switchFrom("ACLQUANT_HOST_STRICT_SOC", false);
    settings.workspaceBytes = numberFrom("ACLQUANT_HOST_WORKSPACE", 0, UINT64_MAX, settings.workspaceBytes);
    MemoryMode mode{};
    findMemoryMode(wordFrom("ACLQUANT_HOST_MEMORY", {"guarded", "strict", "plain"}), mode);
    settings.memory = mode;
    settings.poisoned = switchFrom("ACLQUANT_HOST_POISON", true);
    settings.report = switchFrom("ACLQUANT_HOST_REPORT", false);
    settings.taskDelay = numberFrom("ACLQUANT_HOST_DELAY", 0, kMaxTaskDelay, 0);
    return settings;
}

std::string Settings::problem() const {
    if (badVersion != nullptr) {
        return text("ACLQUANT_HOST_VERSION is '%.64s'; allowed: major.minor[.patch], such as " ACLQUANT_CANN_VERSION,
                    badVersion.get());
    }
    if (soc != nullptr) {
        return {};
    }
    const std::string name = socName.get();
    const bool family950 = name.rfind("Ascend950", 0) == 0 || name.rfind("Ascend350", 0) == 0;
    return text("SoC name '%s' is not supported by the host device%s; supported: %s", name.c_str(),
                family950 ? " (its arithmetic of the Ascend 950 family is not implemented)" : "",
                supportedSocs().c_str());
}

}  // namespace aclq
