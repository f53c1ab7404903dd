// SPDX-License-Identifier: Apache-2.0
// Random words: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011), with
// the seed as its key and the counter (0, offset), whose lower half counts blocks of four words. A word depends on its
// number alone, so threads may draw in any order.
#pragma once

#include <array>
#include <cstdint>

namespace aclq::everyday {

class Philox {
  public:
    Philox(std::uint64_t seed, std::uint64_t offset) : seed_(seed), offset_(offset) {}
    Philox(std::int64_t seed, std::int64_t offset)
        : Philox(static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(offset)) {}

    std::array<std::uint32_t, 4> block(std::uint64_t number) const {
        std::array<std::uint32_t, 4> counter{low(number), high(number), low(offset_), high(offset_)};
        std::uint32_t key[2] = {low(seed_), high(seed_)};
        for (int round = 0; round < 10; ++round) {
            const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
            const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
            counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1], low(first)};
            key[0] += 0x9E3779B9;
            key[1] += 0xBB67AE85;
        }
        return counter;
    }

    // Word `number`; and words 2 * `number` and the next one, as one word of 64 bits.
    std::uint32_t word(std::int64_t number) const {
        const auto place = static_cast<std::uint64_t>(number);
        return block(place / 4)[place % 4];
    }
    std::uint64_t pair(std::int64_t number) const {
        const auto place = static_cast<std::uint64_t>(number);
        const auto found = block(place / 2);
        const std::size_t first = place % 2 * 2;
        return std::uint64_t{found[first + 1]} << 32 | found[first];
    }

    // The 64-bit word as a fraction in [0, 1).
    double fraction(std::int64_t number) const { return word(number) * 0x1p-32; }
    double longFraction(std::int64_t number) const { return static_cast<double>(pair(number) >> 11) * 0x1p-53; }

  private:
    static std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
    static std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

    const std::uint64_t seed_;
    const std::uint64_t offset_;
};

}  // namespace aclq::everyday
