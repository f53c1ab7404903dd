// SPDX-License-Identifier: Apache-2.0
// The simulated properties: chip, CANN version, number of devices, limits. Read once from the environment;
// include/aclquant/host_device.h changes them. Any thread may read any setting at any time.
#pragma once

#include <atomic>
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

// Null if the host device cannot simulate this chip.
const Soc* findSoc(const std::string& name);
// The supported names, for error texts.
std::string supportedSocs();

constexpr std::uint32_t kMaxDevices = 64;
constexpr std::uint64_t kMaxTaskDelay = 60'000'000;  // microseconds

// A value that one thread may change while others read it. Values are independent, so relaxed order suffices.
template <class T>
class Setting {
  public:
    Setting(T value) : value_(value) {}
    Setting(const Setting& other) : value_(other.get()) {}
    Setting& operator=(const Setting& other) {
        value_.store(other.get(), std::memory_order_relaxed);
        return *this;
    }
    Setting& operator=(T value) {
        value_.store(value, std::memory_order_relaxed);
        return *this;
    }
    T get() const { return value_.load(std::memory_order_relaxed); }
    operator T() const { return get(); }
    T operator->() const { return get(); }

  private:
    std::atomic<T> value_;
};

// A copy of the text that lives as long as the process, so that it can be read while another text replaces it.
const char* keepForever(const std::string& text);

struct Version {
    Setting<int> major = 0;
    Setting<int> minor = 0;
    Setting<int> patch = 0;
    Setting<const char*> text = "";
};
// False if the text is not major.minor[.patch], optionally followed by a dot and more.
bool parseVersion(const std::string& text, Version& version);

// How device memory is protected.
enum class MemoryMode {
    Guarded,  // inaccessible to the CPU; plain copies must name the correct direction
    Strict,   // the same, and only the requested sizes are allowed, without the padding of a card
    Plain     // the CPU can touch it
};

struct Settings {
    Setting<const char*> socName = "Ascend910B1";
    Setting<const Soc*> soc = nullptr;  // null: the host device cannot simulate socName
    Version version;
    Setting<const char*> badVersion = nullptr;  // the requested text, if it is not a version
    Setting<std::uint32_t> deviceCount = 1;
    Setting<std::uint64_t> memoryLimit = 0;  // bytes of each device
    Setting<bool> strictSoc = false;
    // Not zero, so that clients' handling of workspaces is exercised; the kernels need no workspace.
    Setting<std::uint64_t> workspaceBytes = 1024;
    Setting<MemoryMode> memory = MemoryMode::Guarded;
    Setting<bool> poisoned = true;         // device memory is filled when it is allocated and freed
    Setting<bool> report = false;          // aclFinalize and the end of the process report unreleased objects
    Setting<std::uint64_t> taskDelay = 0;  // microseconds before each task of a new stream

    bool guarded() const { return memory != MemoryMode::Plain; }
    bool strictSizes() const { return memory == MemoryMode::Strict; }

    static Settings fromEnvironment();
    // Null if everything is usable, else the reason why not.
    std::string problem() const;
};

// False unless the name is that of a mode.
bool findMemoryMode(const std::string& name, MemoryMode& mode);

}  // namespace aclq
