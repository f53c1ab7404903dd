// SPDX-License-Identifier: Apache-2.0
// What the host device pretends to be: chip, CANN version, number of devices, limits. Read once from the environment;
// include/aclquant/host_device.h changes it while no context exists.
#pragma once

#include <cstdint>
#include <string>

namespace aclq {

// Families differ in the dtypes they take and in arithmetic.
enum class Family { A2, InferenceSeries };

struct Soc {
    const char* name;
    Family family;
    std::int64_t cubeCores;
    std::int64_t vectorCores;
    std::int64_t l2Bytes;
    std::uint64_t memoryBytes;
};

// Null unless the host device can be this chip.
const Soc* findSoc(const std::string& name);
// The supported names, for error texts.
std::string supportedSocs();

constexpr std::uint32_t kMaxDevices = 64;
constexpr std::uint64_t kMaxTaskDelay = 60'000'000;  // microseconds

struct Version {
    int major = 9;
    int minor = 1;
    int patch = 0;
    std::string text = "9.1.0";
};
// False if the text does not start with major.minor[.patch].
bool parseVersion(const std::string& text, Version& version);

struct Settings {
    std::string socName = "Ascend910B1";
    const Soc* soc = nullptr;  // null: socName is not a chip the host device can be
    Version version;
    std::string badVersion;  // what was asked for instead, if that is no version
    std::uint32_t deviceCount = 1;
    std::uint64_t memoryLimit = 0;  // bytes of each device
    bool strictSoc = false;
    // Not zero, so that clients' handling of workspaces is exercised; the kernels need none.
    std::uint64_t workspaceBytes = 1024;
    bool guarded = true;   // the CPU cannot touch device memory, and plain copies must name their direction rightly
    bool poisoned = true;  // device memory is filled when it is allocated and freed
    bool report = false;   // aclFinalize and the end of the process tell what is left
    std::uint64_t taskDelay = 0;  // microseconds before each task of a new stream

    static Settings fromEnvironment();
    // Null text if everything is usable, else what is wrong.
    std::string problem() const;
};

}  // namespace aclq
