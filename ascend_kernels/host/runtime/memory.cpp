// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "runtime/status.h"

namespace aclq {
namespace {

constexpr std::size_t kAlignment = 64;

const char* kindName(MemoryKind kind) {
    switch (kind) {
        case MemoryKind::Device:
            return "device memory";
        case MemoryKind::Host:
            return "page-locked host memory";
        default:
            return "registered host memory";
    }
}

}  // namespace

std::string describe(const Allocation& allocation) {
    const std::string padding = allocation.size != allocation.asked
                                    ? text(" (%llu with its padding)", static_cast<unsigned long long>(allocation.size))
                                    : "";
    return text("%s %p of %llu bytes", kindName(allocation.kind), reinterpret_cast<void*>(allocation.begin),
                static_cast<unsigned long long>(allocation.asked)) +
           padding;
}

aclError Memory::allocate(void** pointer, const Request& request) {
    const bool onDevice = request.kind == MemoryKind::Device;
    std::uint64_t none = 0;
    std::uint64_t& used = onDevice ? used_[static_cast<std::size_t>(request.device)] : none;
    const auto refuse = [&](const std::string& sentence) {
        const std::unique_lock lock(mutex_);
        used -= request.padded;
        return fail(ACL_ERROR_RT_MEMORY_ALLOCATION, sentence);
    };
    {
        const std::unique_lock lock(mutex_);
        if (onDevice && (request.padded > request.limit || used > request.limit - request.padded)) {
            return fail(ACL_ERROR_RT_MEMORY_ALLOCATION,
                        text("out of device memory: %llu bytes asked for, %llu of %llu bytes in use on device %d",
                             static_cast<unsigned long long>(request.padded), static_cast<unsigned long long>(used),
                             static_cast<unsigned long long>(request.limit), request.device));
        }
        used += request.padded;
    }
    auto* bytes = static_cast<unsigned char*>(
        std::aligned_alloc(kAlignment, (request.padded + kAlignment - 1) / kAlignment * kAlignment));
    if (bytes == nullptr) {
        return refuse(text("the host refuses %llu bytes", static_cast<unsigned long long>(request.padded)));
    }
    if (request.poisoned) {
        std::memset(bytes, kFresh, request.padded);
    }
    std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(bytes);
    try {
        const std::unique_lock lock(mutex_);
        begin = request.guarded ? addresses_.take(request.padded) : begin;
        if (begin != 0) {
            insert(Allocation{begin, request.size, request.kind, request.device, nextId_++, request.padded, bytes,
                              request.poisoned, request.asked});
        }
    } catch (...) {
        std::free(bytes);
        const std::unique_lock lock(mutex_);
        used -= request.padded;
        throw;
    }
    if (begin == 0) {
        std::free(bytes);
        return refuse(
            text("the host has no addresses left for %llu bytes", static_cast<unsigned long long>(request.padded)));
    }
    *pointer = reinterpret_cast<void*>(begin);
    return ACL_SUCCESS;
}

aclError Memory::release(const void* pointer, MemoryKind kind) {
    Entries::node_type gone;
    {
        const std::unique_lock lock(mutex_);
        const auto found = allocations_.find(reinterpret_cast<std::uintptr_t>(pointer));
        if (found == allocations_.end() || found->second.allocation.kind != kind) {
            Allocation around;
            const std::string what = findLocked(reinterpret_cast<std::uintptr_t>(pointer), around)
                                         ? "an address in " + describe(around)
                                         : text("%p, which is not allocated (freed twice or foreign)", pointer);
            return fail(ACL_ERROR_RT_MEMORY_FREE,
                        text("argument '%s': got %s; allowed: the start of live %s",
                             kind == MemoryKind::Device ? "devPtr" : "hostPtr", what.c_str(), kindName(kind)));
        }
        const Allocation& allocation = found->second.allocation;
        if (kind == MemoryKind::Device) {
            used_[static_cast<std::size_t>(allocation.device)] -= allocation.charged;
        }
        if (found->second.pins.load() != 0) {
            found->second.freed = true;
            freed_.reserve(freed_.size() + 1);
            freed_.push_back(allocations_.extract(found));  // a task is running on it; the last such task releases it
            return ACL_SUCCESS;
        }
        if (allocation.guarded()) {
            addresses_.give(allocation.begin, allocation.charged);
        }
        gone = allocations_.extract(found);
    }
    discard(gone.mapped().allocation);
    return ACL_SUCCESS;
}

void Memory::discard(const Allocation& allocation) {
    if (allocation.kind == MemoryKind::Registered) {
        return;  // the client's
    }
    // Freed guarded memory is inaccessible.
    if (allocation.poisoned && !allocation.guarded()) {
        std::memset(allocation.bytes, kFreed, allocation.charged);
    }
    std::free(allocation.bytes);
}

aclError Memory::registerHost(void* pointer, std::uint64_t size) {
    const std::unique_lock lock(mutex_);
    const auto begin = reinterpret_cast<std::uintptr_t>(pointer);
    const auto next = allocations_.lower_bound(begin);
    Allocation around;
    if (size > UINTPTR_MAX - begin) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "size", std::to_string(size),
                            "memory that does not reach beyond the address space");
    }
    if (findLocked(begin, around) || (next != allocations_.end() && next->first - begin < size)) {
        return fail(ACL_ERROR_HOST_MEMORY_ALREADY_REGISTERED,
                    text("argument 'ptr': got %p of %llu bytes, which overlaps memory the device knows; allowed: "
                         "memory that is not registered",
                         pointer, static_cast<unsigned long long>(size)));
    }
    insert(Allocation{begin, size, MemoryKind::Registered, -1, nextId_++, 0, static_cast<unsigned char*>(pointer),
                      false, size});
    return ACL_SUCCESS;
}

aclError Memory::unregisterHost(const void* pointer) {
    std::unique_lock lock(mutex_);
    const auto found = allocations_.find(reinterpret_cast<std::uintptr_t>(pointer));
    if (found == allocations_.end() || found->second.allocation.kind != MemoryKind::Registered) {
        return fail(ACL_ERROR_HOST_MEMORY_NOT_REGISTERED,
                    text("argument 'ptr': got %p; allowed: the start of registered host memory", pointer));
    }
    if (found->second.pins.load() == 0) {
        allocations_.erase(found);
        return ACL_SUCCESS;
    }
    const std::uint64_t id = found->second.allocation.id;
    freed_.reserve(freed_.size() + 1);
    freed_.push_back(allocations_.extract(found));  // later tasks do not find it
    unpinned_.wait(lock, [&] {
        return std::none_of(freed_.begin(), freed_.end(),
                            [&](const Entries::node_type& node) { return node.mapped().allocation.id == id; });
    });
    return ACL_SUCCESS;
}

std::vector<Memory::Lent>::iterator Memory::findLent(const aclquantRange& range) {
    const auto begin = reinterpret_cast<std::uintptr_t>(range.ptr);
    return std::find_if(lent_.begin(), lent_.end(),
                        [&](const Lent& lent) { return lent.begin == begin && lent.size == range.size; });
}

void Memory::lend(std::span<const aclquantRange> ranges) {
    const std::unique_lock lock(mutex_);
    lent_.reserve(lent_.size() + ranges.size());
    for (const aclquantRange& range : ranges) {
        if (const auto same = findLent(range); same != lent_.end()) {
            ++same->count;
        } else {
            lent_.push_back(Lent{reinterpret_cast<std::uintptr_t>(range.ptr), range.size, 1, nextId_++});
        }
    }
}

bool Memory::takeBack(std::span<const aclquantRange> ranges) {
    const std::unique_lock lock(mutex_);
    for (std::size_t index = 0; index < ranges.size(); ++index) {
        const auto lent = findLent(ranges[index]);
        if (lent == lent_.end()) {
            for (std::size_t undone = 0; undone < index; ++undone) {
                const auto same = findLent(ranges[undone]);
                if (same != lent_.end()) {
                    ++same->count;
                } else {
                    lent_.push_back(
                        Lent{reinterpret_cast<std::uintptr_t>(ranges[undone].ptr), ranges[undone].size, 1, nextId_++});
                }
            }
            return false;
        }
        if (--lent->count == 0) {
            *lent = lent_.back();
            lent_.pop_back();
        }
    }
    return true;
}

void Memory::insert(const Allocation& allocation) {
    allocations_[allocation.begin].allocation = allocation;
}

bool Memory::findLocked(std::uintptr_t address, Allocation& found) const {
    auto after = allocations_.upper_bound(address);
    if (after == allocations_.begin()) {
        return false;
    }
    const Allocation& before = (--after)->second.allocation;
    if (address - before.begin >= before.size) {
        return false;
    }
    found = before;
    return true;
}

bool Memory::find(std::uintptr_t address, Allocation& found) const {
    const std::shared_lock lock(mutex_);
    return findLocked(address, found);
}

const Memory::Entry* Memory::findHolder(Hold& hold) const {
    const auto holds = [&](std::uintptr_t start, std::uint64_t bytes) {
        return hold.begin >= start && hold.begin - start <= bytes && hold.size <= bytes - (hold.begin - start);
    };
    hold.id = 0;
    hold.shift = 0;
    for (const Lent& lent : lent_) {
        if (holds(lent.begin, lent.size)) {
            hold.id = lent.id;
            return nullptr;
        }
    }
    auto after = allocations_.upper_bound(hold.begin);
    if (after == allocations_.begin()) {
        return nullptr;
    }
    const Entry& before = (--after)->second;
    if (!holds(before.allocation.begin, before.allocation.size)) {
        return nullptr;
    }
    hold.id = before.allocation.id;
    hold.shift = reinterpret_cast<std::uintptr_t>(before.allocation.bytes) - before.allocation.begin;
    return &before;
}

void Memory::findHolders(std::span<Hold> holds) const {
    const std::shared_lock lock(mutex_);
    for (Hold& hold : holds) {
        findHolder(hold);
    }
}

void Memory::pin(std::span<Hold> holds) {
    const std::shared_lock lock(mutex_);
    for (Hold& hold : holds) {
        auto* entry = const_cast<Entry*>(findHolder(hold));
        hold.pinned = entry;
        if (entry != nullptr) {
            entry->pins.fetch_add(1);
        }
    }
}

std::ptrdiff_t Memory::unpin(std::span<const Hold> holds) {
    std::ptrdiff_t freed = -1;
    bool some = false;
    {
        // Entries do not move, and freed ones stay until they are unpinned.
        const std::shared_lock lock(mutex_);
        for (std::size_t index = 0; index < holds.size(); ++index) {
            if (auto* entry = static_cast<Entry*>(holds[index].pinned); entry != nullptr) {
                freed = entry->freed && freed < 0 ? static_cast<std::ptrdiff_t>(index) : freed;
                entry->pins.fetch_sub(1);
            }
        }
        some = !freed_.empty();
    }
    if (some) {
        const std::unique_lock lock(mutex_);
        std::erase_if(freed_, [this](const Entries::node_type& node) {
            if (node.mapped().pins.load() != 0) {
                return false;
            }
            const Allocation& allocation = node.mapped().allocation;
            if (allocation.guarded()) {
                addresses_.give(allocation.begin, allocation.charged);
            }
            discard(allocation);
            return true;
        });
        unpinned_.notify_all();
    }
    return freed;
}

bool Memory::findAtFault(std::uintptr_t address, Allocation& found) const {
    const std::shared_lock lock(mutex_, std::try_to_lock);
    return lock.owns_lock() && findLocked(address, found);
}

std::uint64_t Memory::used(std::int32_t device) const {
    const std::shared_lock lock(mutex_);
    return used_[static_cast<std::size_t>(device)];
}

std::uint64_t Memory::count(MemoryKind kind) const {
    const std::shared_lock lock(mutex_);
    return static_cast<std::uint64_t>(std::count_if(allocations_.begin(), allocations_.end(), [&](const auto& entry) {
        return entry.second.allocation.kind == kind;
    }));
}

}  // namespace aclq
