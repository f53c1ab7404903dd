// SPDX-License-Identifier: Apache-2.0
#include "runtime/address_space.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>

#include "runtime/fault.h"

namespace aclq {
namespace {

constexpr std::uint64_t kPage = 4096;
// Addresses cost nothing. Where they are limited (RLIMIT_AS, small address spaces), smaller reservations are tried.
constexpr std::uint64_t kRegions[] = {1ULL << 40, 1ULL << 36, 1ULL << 28};

// All reservations. A forked child keeps them: it cannot use the parent's addresses, but must recognise them.
struct Region {
    std::atomic<std::uintptr_t> begin{0};
    std::atomic<std::uintptr_t> end{0};
};
std::array<Region, 1024> regions;
std::atomic<std::size_t> regionCount{0};

std::uint64_t pagesFor(std::uint64_t size) {
    return (size + kPage - 1) / kPage * kPage + kPage;
}

}  // namespace

bool AddressSpace::reserved(std::uintptr_t address) {
    const std::size_t count = std::min(regionCount.load(std::memory_order_acquire), regions.size());
    return std::any_of(regions.begin(), regions.begin() + static_cast<std::ptrdiff_t>(count),
                       [&](const Region& region) { return address >= region.begin && address < region.end; });
}

bool AddressSpace::reserve(std::uint64_t size) {
    if (regionCount.load() >= regions.size()) {
        return false;
    }
    const auto map = [](std::uint64_t bytes) {
        return mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    };
    std::uint64_t bytes = size;
    void* mapped = MAP_FAILED;
    for (const std::uint64_t region : kRegions) {
        if (mapped == MAP_FAILED && region > size) {
            bytes = region;
            mapped = map(bytes);
        }
    }
    if (mapped == MAP_FAILED) {
        bytes = size;
        mapped = map(bytes);
    }
    if (mapped == MAP_FAILED) {
        return false;
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(mapped);
    holes_[begin] = begin + bytes;
    next_ = begin;
    Region& region = regions[regionCount.load()];
    region.begin = begin;
    region.end = begin + bytes;
    regionCount.fetch_add(1, std::memory_order_release);
    explainFaults();
    return true;
}

std::uintptr_t AddressSpace::cut(std::map<std::uintptr_t, std::uintptr_t>::iterator hole, std::uintptr_t begin,
                                 std::uint64_t size) {
    const std::uintptr_t end = hole->second;
    if (begin + size < end) {
        holes_[begin + size] = end;
    }
    if (hole->first < begin) {
        hole->second = begin;
    } else {
        holes_.erase(hole);
    }
    next_ = begin + size;
    return begin;
}

std::uintptr_t AddressSpace::take(std::uint64_t wanted) {
    if (wanted > UINT64_MAX - 2 * kPage) {
        return 0;
    }
    const std::uint64_t size = pagesFor(wanted);
    // From the end of the last search, then from the first address, then in a new reservation.
    if (auto hole = holes_.upper_bound(next_);
        hole != holes_.begin() && next_ < std::prev(hole)->second && std::prev(hole)->second - next_ >= size) {
        return cut(std::prev(hole), next_, size);
    }
    const auto fits = [&](const auto& hole) { return hole.second - hole.first >= size; };
    auto hole = std::find_if(holes_.lower_bound(next_), holes_.end(), fits);
    if (hole == holes_.end()) {
        hole = std::find_if(holes_.begin(), holes_.end(), fits);
    }
    if (hole == holes_.end() && reserve(size)) {
        hole = holes_.find(next_);
    }
    return hole != holes_.end() ? cut(hole, hole->first, size) : 0;
}

void AddressSpace::give(std::uintptr_t begin, std::uint64_t wanted) {
    std::uintptr_t end = begin + pagesFor(wanted);
    auto after = holes_.lower_bound(begin);
    if (after != holes_.end() && after->first == end) {
        end = after->second;
        after = holes_.erase(after);
    }
    if (after != holes_.begin() && std::prev(after)->second == begin) {
        std::prev(after)->second = end;
        return;
    }
    holes_.emplace_hint(after, begin, end);
}

}  // namespace aclq
