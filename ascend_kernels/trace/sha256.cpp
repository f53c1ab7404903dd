// SPDX-License-Identifier: Apache-2.0
#include "sha256.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace aclq::trace {
namespace {

__extension__ using Wide = unsigned __int128;

// The first 32 bits of the fractions of the cube roots of the first 64 primes, found by integer search.
constexpr std::array<std::uint32_t, 64> roundConstants() {
    std::array<std::uint32_t, 64> constants{};
    int found = 0;
    for (unsigned n = 2; found < 64; ++n) {
        bool prime = true;
        for (unsigned d = 2; d * d <= n; ++d) {
            prime = prime && n % d != 0;
        }
        if (!prime) {
            continue;
        }
        // floor(cbrt(n) * 2^32) by bisection: the largest r with r^3 <= n * 2^96.
        std::uint64_t low = 0, high = std::uint64_t{8} << 32;
        while (high - low > 1) {
            const std::uint64_t middle = (low + high) / 2;
            // middle^3 has up to 105 bits; 128 are there.
            const Wide square = static_cast<Wide>(middle) * middle;
            const bool fits = square * middle <= static_cast<Wide>(n) << 96;
            (fits ? low : high) = middle;
        }
        constants[static_cast<std::size_t>(found++)] = static_cast<std::uint32_t>(low);
    }
    return constants;
}

constexpr auto kRounds = roundConstants();

void compress(std::array<std::uint32_t, 8>& state, const unsigned char* block) {
    std::array<std::uint32_t, 64> w;
    for (std::size_t i = 0; i < 16; ++i) {
        w[i] = static_cast<std::uint32_t>(block[4 * i]) << 24 | static_cast<std::uint32_t>(block[4 * i + 1]) << 16 |
               static_cast<std::uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
    }
    for (std::size_t i = 16; i < 64; ++i) {
        const std::uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
               (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint32_t first =
            h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + kRounds[i] + w[i];
        const std::uint32_t second =
            (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
    const std::array<std::uint32_t, 8> more = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) {
        state[i] += more[i];
    }
}

}  // namespace

std::string sha256(const void* data, std::size_t size) {
    std::array<std::uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const auto* from = static_cast<const unsigned char*>(data);
    std::size_t left = size;
    for (; left >= 64; from += 64, left -= 64) {
        compress(state, from);
    }
    unsigned char last[128] = {};
    if (left != 0) {
        std::memcpy(last, from, left);
    }
    last[left] = 0x80;
    const std::size_t blocks = left < 56 ? 1 : 2;
    for (std::size_t i = 0; i < 8; ++i) {
        last[64 * blocks - 1 - i] = static_cast<unsigned char>(static_cast<std::uint64_t>(size) * 8 >> 8 * i);
    }
    for (std::size_t block = 0; block < blocks; ++block) {
        compress(state, last + 64 * block);
    }
    std::string text;
    for (const std::uint32_t word : state) {
        for (int shift = 28; shift >= 0; shift -= 4) {
            text += "0123456789abcdef"[word >> shift & 15];
        }
    }
    return text;
}

unsigned crc32(const void* data, std::size_t size) {
    static constexpr auto kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320 : value >> 1;
            }
            table[i] = value;
        }
        return table;
    }();
    std::uint32_t value = ~std::uint32_t{0};
    const auto* const from = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < size; ++i) {
        value = value >> 8 ^ kTable[(value ^ from[i]) & 255];
    }
    return ~value;
}

}  // namespace aclq::trace
