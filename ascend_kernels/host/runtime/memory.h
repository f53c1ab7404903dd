// SPDX-License-Identifier: Apache-2.0
// Which addresses the device knows: memory it allocated, host memory registered with it, host memory lent to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "acl/acl_rt.h"
#include "aclquant/host_device.h"

namespace aclq {

enum class MemoryKind { Device, Host, Registered };

struct Allocation {
    std::uintptr_t begin = 0;
    std::uint64_t size = 0;
    MemoryKind kind = MemoryKind::Device;
    std::int32_t device = 0;
    std::uint64_t id = 0;       // never used twice: tells memory from other memory at the same address
    std::uint64_t charged = 0;  // bytes it counts for
};

// A range of memory that a task touches, and what holds it.
struct Hold {
    std::uintptr_t begin = 0;
    std::uint64_t size = 0;
    std::uint64_t id = 0;  // 0: nothing the device knows
    void* pinned = nullptr;
};

// "device memory 0x7f.. of 4096 bytes", for error texts.
std::string describe(const Allocation& allocation);

class Memory {
  public:
    explicit Memory(std::uint32_t devices) : used_(devices) {}

    aclError allocate(void** pointer, std::uint64_t size, std::uint64_t padded, MemoryKind kind, std::int32_t device,
                      std::uint64_t limit);
    aclError release(const void* pointer, MemoryKind kind);
    aclError registerHost(void* pointer, std::uint64_t size);
    aclError unregisterHost(const void* pointer);

    // Ranges lent by our own clients (aclquantHostRegister): any alignment, overlapping and repeated.
    void lend(std::span<const aclquantRange> ranges);
    // False, with nothing changed, if one of them was not lent.
    bool takeBack(std::span<const aclquantRange> ranges);

    // The allocation that holds the address; false if there is none.
    bool find(std::uintptr_t address, Allocation& found) const;
    // Finds the allocation or lent range that holds each whole range.
    void findHolders(std::span<Hold> holds) const;
    // The same, and keeps the memory of allocations until unpin(), even if they are freed meanwhile.
    void pin(std::span<Hold> holds);
    void unpin(std::span<const Hold> holds);

    std::uint64_t used(std::int32_t device) const;
    std::uint64_t count(MemoryKind kind) const;

  private:
    struct Lent {
        std::uintptr_t begin;
        std::uint64_t size;
        std::uint64_t count;
        std::uint64_t id;
    };

    // An allocation and the tasks that are running on it.
    struct Entry {
        Allocation allocation;
        std::atomic<std::uint32_t> pins{0};
    };
    using Entries = std::map<std::uintptr_t, Entry>;

    void insert(const Allocation& allocation);
    // Fills in the id; the entry, if it is an allocation.
    const Entry* findHolder(Hold& hold) const;
    std::vector<Lent>::iterator findLent(const aclquantRange& range);
    bool findLocked(std::uintptr_t address, Allocation& found) const;

    mutable std::shared_mutex mutex_;
    Entries allocations_;
    std::vector<Entries::node_type> freed_;  // but pinned
    std::vector<Lent> lent_;
    std::vector<std::uint64_t> used_;
    std::uint64_t nextId_ = 1;
};

}  // namespace aclq
