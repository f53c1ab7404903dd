// SPDX-License-Identifier: Apache-2.0
// The addresses that the device knows: memory it allocated, host memory registered with it, host memory lent to it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "acl/acl_rt.h"
#include "aclquant/host_device.h"
#include "runtime/address_space.h"

namespace aclq {

enum class MemoryKind { Device, Host, Registered };

struct Allocation {
    std::uintptr_t begin = 0;
    std::uint64_t size = 0;  // bytes that may be touched
    MemoryKind kind = MemoryKind::Device;
    std::int32_t device = 0;
    std::uint64_t id = 0;            // never used twice: distinguishes allocations at the same address
    std::uint64_t charged = 0;       // bytes that count against the limit
    unsigned char* bytes = nullptr;  // address of the bytes: `begin`, unless the memory is guarded
    bool poisoned = false;           // filled with kFreed when it is freed
    std::uint64_t asked = 0;         // bytes that the client requested

    bool guarded() const { return reinterpret_cast<std::uintptr_t>(bytes) != begin; }
};

// Content of unwritten memory: bytes that are neither zero nor a special float of any type.
constexpr unsigned char kFresh = 0xCD;
constexpr unsigned char kFreed = 0xDD;

// A range of memory that a task touches, and the allocation that holds it.
struct Hold {
    std::uintptr_t begin = 0;
    std::uint64_t size = 0;
    std::uint64_t id = 0;  // 0: unknown to the device
    void* pinned = nullptr;
    std::uintptr_t shift = 0;  // from the client's address to the address of the bytes

    unsigned char* bytes() const { return reinterpret_cast<unsigned char*>(begin + shift); }
};

// Arguments of Memory::allocate.
struct Request {
    std::uint64_t asked = 0;
    std::uint64_t size = 0;    // bytes that may be touched
    std::uint64_t padded = 0;  // bytes that count against the limit
    MemoryKind kind = MemoryKind::Device;
    std::int32_t device = 0;
    std::uint64_t limit = 0;  // of the device
    bool guarded = false;     // the CPU faults on the address
    bool poisoned = false;
};

// "device memory 0x7f.. of 4096 bytes (4128 with its padding)", for error texts.
std::string describe(const Allocation& allocation);

class Memory {
  public:
    explicit Memory(std::uint32_t devices) : used_(devices) {}

    aclError allocate(void** pointer, const Request& request);
    aclError release(const void* pointer, MemoryKind kind);
    aclError registerHost(void* pointer, std::uint64_t size);
    // Waits for the tasks that are running on the memory; afterwards the client may free or reuse it.
    aclError unregisterHost(const void* pointer);

    // Ranges lent by our own clients (aclquantHostRegister): any alignment, overlapping and repeated.
    void lend(std::span<const aclquantRange> ranges);
    // False, without any change, if one of them was not lent.
    bool takeBack(std::span<const aclquantRange> ranges);

    // The allocation that holds the address; false if there is none.
    bool find(std::uintptr_t address, Allocation& found) const;
    // Finds the allocation or lent range that holds each whole range.
    void findHolders(std::span<Hold> holds) const;
    // The same, and keeps the memory of allocations until unpin(), even if they are freed meanwhile.
    void pin(std::span<Hold> holds);
    // The number of the first hold whose memory was freed meanwhile; -1 if there is none.
    std::ptrdiff_t unpin(std::span<const Hold> holds);
    // For signal handlers: never blocks.
    bool findAtFault(std::uintptr_t address, Allocation& found) const;

    // Calls `look` with each live allocation.
    template <class Look>
    void forEach(Look&& look) const {
        const std::shared_lock lock(mutex_);
        for (const auto& [begin, entry] : allocations_) {
            look(entry.allocation);
        }
    }

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
        bool freed = false;
    };
    using Entries = std::map<std::uintptr_t, Entry>;

    void insert(const Allocation& allocation);
    // Releases the memory of a freed entry; called without the lock.
    static void discard(const Allocation& allocation);
    // Fills in the id; the entry, if it is an allocation.
    const Entry* findHolder(Hold& hold) const;
    std::vector<Lent>::iterator findLent(const aclquantRange& range);
    bool findLocked(std::uintptr_t address, Allocation& found) const;

    mutable std::shared_mutex mutex_;
    Entries allocations_;
    std::vector<Entries::node_type> freed_;  // freed but still pinned
    std::condition_variable_any unpinned_;   // one of them was unpinned
    std::vector<Lent> lent_;
    AddressSpace addresses_;
    std::vector<std::uint64_t> used_;
    std::uint64_t nextId_ = 1;
};

}  // namespace aclq
