// SPDX-License-Identifier: Apache-2.0
// Tiles of 16 by 16 sums, with AMX. Packed as for AVX-512 VNNI, which computes the remaining edges. Sums wrap around
// here as well.
#define ACLQ_ISA amx
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "simd/matmul.h"

namespace aclq {

extern const MatmulKernels kAvx512VnniMatmul;

namespace amx {
namespace {

constexpr std::int64_t kInterleaved = 16;  // rows of a tile; words and sums in a row of one
constexpr std::int64_t kPanel = 64;

struct alignas(64) Config {
    std::uint8_t palette = 1;
    std::uint8_t start = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Tiles 0 to 3: sums of two tiles of rows by two of columns; 4, 5: left; 6, 7: right.
void pair(const std::int32_t* left, std::int64_t pitch, const std::int32_t* right, std::int64_t words,
          std::int32_t* sums, std::int64_t sumPitch) {
    const auto leftStep = static_cast<std::size_t>(pitch) * 4;
    const auto sumStep = static_cast<std::size_t>(sumPitch) * 4;
    std::int32_t* const below = sums + kInterleaved * sumPitch;
    _tile_loadd(0, sums, sumStep);
    _tile_loadd(1, sums + kInterleaved, sumStep);
    _tile_loadd(2, below, sumStep);
    _tile_loadd(3, below + kInterleaved, sumStep);
    for (std::int64_t word = 0; word < words; word += kInterleaved) {
        _tile_loadd(4, left + word, leftStep);
        _tile_loadd(5, left + kInterleaved * pitch + word, leftStep);
        _tile_loadd(6, right + word * kPanel, kPanel * 4);
        _tile_loadd(7, right + word * kPanel + kInterleaved, kPanel * 4);
        _tile_dpbsud(0, 4, 6);
        _tile_dpbsud(1, 4, 7);
        _tile_dpbsud(2, 5, 6);
        _tile_dpbsud(3, 5, 7);
    }
    _tile_stored(0, sums, sumStep);
    _tile_stored(1, sums + kInterleaved, sumStep);
    _tile_stored(2, below, sumStep);
    _tile_stored(3, below + kInterleaved, sumStep);
}

void multiply(const std::int32_t* left, std::int64_t pitch, std::int64_t rows, const std::int32_t* right,
              std::int64_t words, std::int64_t columns, std::int32_t* sums, std::int64_t sumPitch) {
    const std::int64_t wholeRows = rows / (2 * kInterleaved) * (2 * kInterleaved);
    const std::int64_t wholeWords = words / kInterleaved * kInterleaved;
    const auto& rest = kAvx512VnniMatmul.multiply;
    if (wholeRows == 0 || wholeWords == 0) {
        return rest(left, pitch, rows, right, words, columns, sums, sumPitch);
    }
    const Config config;
    _tile_loadconfig(&config);
    for (std::int64_t column = 0; column < columns; column += kPanel) {
        for (std::int64_t row = 0; row < wholeRows; row += 2 * kInterleaved) {
            for (std::int64_t half = 0; half < kPanel; half += 2 * kInterleaved) {
                pair(left + row * pitch, pitch, right + column * words + half, wholeWords,
                     sums + row * sumPitch + column + half, sumPitch);
            }
        }
    }
    _tile_release();
    for (std::int64_t column = 0; wholeWords < words && column < columns; column += kPanel) {
        rest(left + wholeWords, pitch, wholeRows, right + column * words + wholeWords * kPanel, words - wholeWords,
             kPanel, sums + column, sumPitch);
    }
    rest(left + wholeRows * pitch, pitch, rows - wholeRows, right, words, columns, sums + wholeRows * sumPitch,
         sumPitch);
}

}  // namespace
}  // namespace amx

const decltype(MatmulKernels::multiply) kAmxMultiply = amx::multiply;

// A process must request tiles from the operating system, because they enlarge signal frames.
bool mayUseAmx() {
    constexpr long kRequestPermission = 0x1023;
    constexpr long kTileData = 18;
    static constinit std::atomic<int> granted{-1};  // -1: not known yet
    if (granted < 0) {
        granted = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
    }
    return granted != 0;
}

}  // namespace aclq
