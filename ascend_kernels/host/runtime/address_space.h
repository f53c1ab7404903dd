// SPDX-License-Identifier: Apache-2.0
// Addresses for guarded device memory: reserved ranges of this process with nothing behind them. Whoever touches one
// faults; copies and kernels use the memory that Memory knows behind them.
#pragma once

#include <cstdint>
#include <map>

namespace aclq {

class AddressSpace {
  public:
    // The first of `size` addresses that nobody else has, on a page of its own with a free page behind it; 0 if
    // there are none left. Addresses given back are used again as late as possible.
    std::uintptr_t take(std::uint64_t size);
    void give(std::uintptr_t begin, std::uint64_t size);

    // Whether the address was ever reserved for device memory, by this process or by the one it was forked from.
    static bool reserved(std::uintptr_t address);

  private:
    bool reserve(std::uint64_t size);
    std::uintptr_t cut(std::map<std::uintptr_t, std::uintptr_t>::iterator hole, std::uintptr_t begin,
                       std::uint64_t size);

    std::map<std::uintptr_t, std::uintptr_t> holes_;  // begin, end; none touches another
    std::uintptr_t next_ = 0;                         // where the search goes on
};

}  // namespace aclq
