// SPDX-License-Identifier: Apache-2.0
// Addresses for guarded device memory: reserved ranges of this process that are not mapped. An access by the CPU
// faults; Memory knows the bytes behind an address, for copies and kernels.
#pragma once

#include <cstdint>
#include <map>

namespace aclq {

class AddressSpace {
  public:
    // The first of `size` unused addresses, at the start of a page and followed by a free page; 0 if none are left.
    // Returned addresses are reused as late as possible.
    std::uintptr_t take(std::uint64_t size);
    void give(std::uintptr_t begin, std::uint64_t size);

    // Whether the address was ever reserved for device memory, by this process or by the one it was forked from.
    static bool reserved(std::uintptr_t address);

  private:
    bool reserve(std::uint64_t size);
    std::uintptr_t cut(std::map<std::uintptr_t, std::uintptr_t>::iterator hole, std::uintptr_t begin,
                       std::uint64_t size);

    std::map<std::uintptr_t, std::uintptr_t> holes_;  // begin, end; holes do not touch
    std::uintptr_t next_ = 0;                         // where the next search starts
};

}  // namespace aclq
