// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>

#include "machine.h"

namespace emu {

namespace {

std::map<std::string, Kernel>& kernels() {
    static std::map<std::string, Kernel> all;
    return all;
}

constexpr std::size_t kMaxArguments = 8;

// Global memory of one argument: at an address of 512 bytes' alignment, with a guard behind.
struct Memory {
    explicit Memory(const EmuArgument& argument, std::uint8_t guard)
        : bytes(argument.bytes), storage(argument.bytes + Machine::kGuard + 512) {
        const auto address = reinterpret_cast<std::uintptr_t>(storage.data());
        data = storage.data() + (512 - address % 512) % 512;
        std::memcpy(data, argument.data, bytes);
        for (std::size_t i = 0; i < Machine::kGuard; ++i) {
            data[bytes + i] = static_cast<std::uint8_t>(guard + i * 37);
        }
    }
    std::uint64_t bytes;
    std::vector<std::uint8_t> storage;
    std::uint8_t* data;
};

}  // namespace

Entry::Entry(const char* name, Kernel kernel) {
    kernels()[name] = kernel;
}

}  // namespace emu

using namespace emu;

int32_t emuRun(const char* name, const EmuArgument* arguments, uint32_t count, const EmuLaunch* launch,
               EmuReport* report) {
    *report = {};
    const auto found = kernels().find(name);
    Machine& m = machine();
    if (found == kernels().end() || count > kMaxArguments || launch->tilingBytes > m.tiling.size()) {
        report->check = -1;
        std::snprintf(report->text, sizeof report->text, "no kernel '%s', or too many arguments", name);
        return report->check;
    }
    m.options = {launch->order,
                 launch->schedule,
                 launch->poison,
                 launch->nanWins != 0,
                 launch->skipFile != nullptr ? launch->skipFile : "",
                 launch->skipLine};
    m.statistics = {};
    m.tilingKey = launch->key;
    if (launch->tilingBytes != 0) {
        std::memcpy(m.tiling.data(), launch->tiling, launch->tilingBytes);
    }
    m.sites.clear();
    m.regions.clear();
    std::vector<std::unique_ptr<Memory>> memories;
    std::array<std::uint8_t*, kMaxArguments> pointers{};
    for (std::uint32_t i = 0; i < count; ++i) {
        if (arguments[i].data == nullptr) {
            continue;
        }
        memories.push_back(std::make_unique<Memory>(arguments[i], launch->poison));
        Memory& memory = *memories.back();
        pointers[i] = memory.data;
        const bool out = arguments[i].writable != 0;
        const std::size_t shadow = out ? memory.bytes : 0;
        m.regions.push_back({memory.data, memory.bytes, out, std::vector<std::uint8_t>(memory.bytes, out ? 0 : 1),
                             std::vector<std::uint32_t>(shadow), std::vector<std::uint32_t>(shadow),
                             std::vector<std::int32_t>(shadow, -1), std::vector<std::int32_t>(shadow, -1)});
    }
    std::vector<std::uint32_t> order(launch->blocks);
    std::iota(order.begin(), order.end(), 0);
    if (launch->order == 1) {
        std::reverse(order.begin(), order.end());
    } else if (launch->order > 1) {
        std::shuffle(order.begin(), order.end(), std::mt19937(launch->order));
    }
    std::uint32_t current = 0;
    try {
        for (const std::uint32_t block : order) {
            current = block;
            m.beginBlock(block, launch->blocks);
            found->second(pointers.data(), m.tiling.data());
            m.endBlock();
        }
        for (std::size_t i = 0; i < m.regions.size(); ++i) {
            const Region& region = m.regions[i];
            const auto missing = std::find(region.defined.begin(), region.defined.end(), 0);
            if (missing != region.defined.end()) {
                m.fail({name, 0}, 12, "byte %td of an output of %llu bytes was never written",
                       missing - region.defined.begin(), static_cast<unsigned long long>(region.bytes));
            }
        }
    } catch (const Mistake& mistake) {
        report->check = mistake.check;
        report->block = current;
        report->line = mistake.place.line;
        const char* slash = std::strrchr(mistake.place.file, '/');
        std::snprintf(report->file, sizeof report->file, "%s", slash != nullptr ? slash + 1 : mistake.place.file);
        std::snprintf(report->text, sizeof report->text, "%s", mistake.text.c_str());
    }
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (arguments[i].data != nullptr) {
            const Memory& memory = *memories[next++];
            if (arguments[i].writable != 0) {
                std::memcpy(arguments[i].data, memory.data, memory.bytes);
            }
        }
    }
    const Statistics& s = m.statistics;
    report->loaded = s.loaded;
    report->stored = s.stored;
    report->vectors = s.vectors;
    report->scalars = s.scalars;
    report->localBytes = s.localBytes;
    report->copies = s.copies;
    report->elements = s.elements;
    return report->check;
}

const char* emuChip() {
    return kChip.name;
}

uint32_t emuCores() {
    return kChip.cores;
}

const char* emuKernels() {
    static std::string names;
    names.clear();
    for (const auto& [name, kernel] : kernels()) {
        names += (names.empty() ? "" : ",") + name;
    }
    return names.c_str();
}

const char* emuSites() {
    static std::string text;
    text.clear();
    for (const auto& [place, what] : machine().sites) {
        text += place.first + ":" + std::to_string(place.second) + ":" + what + "\n";
    }
    return text.c_str();
}
