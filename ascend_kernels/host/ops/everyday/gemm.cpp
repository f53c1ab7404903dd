// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/gemm.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "ops/rows/pieces.h"
#include "runtime/environment.h"
#include "runtime/made_once.h"
#include "runtime/thread_pool.h"
#include "simd/widest.h"

namespace aclq::everyday {
namespace {

// -- The library ------------------------------------------------------------------------------

using Sgemm = void (*)(int order, int transposeA, int transposeB, std::int64_t m, std::int64_t n, std::int64_t k,
                       float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
                       float* c, std::int64_t ldc);
using SetThreads = int (*)(int count);

// NumPy's wheels contain OpenBLAS, with special names and 64-bit sizes. It is used if NumPy has loaded it, as in every
// process that imports aclquant or torch_npu. We neither load nor search for it.
struct Library {
    Sgemm sgemm = nullptr;
    SetThreads setThreads = nullptr;  // for the calling thread; returns the previous number

    Library() {
        if (std::strcmp(wordFrom("ACLQUANT_HOST_BLAS", {"numpy", "own"}), "own") == 0) {
            return;
        }
        std::string path;
        dl_iterate_phdr(
            [](dl_phdr_info* loaded, std::size_t, void* found) {
                if (std::strstr(loaded->dlpi_name, "libscipy_openblas64_") == nullptr) {
                    return 0;
                }
                *static_cast<std::string*>(found) = loaded->dlpi_name;
                return 1;
            },
            &path);
        void* handle = path.empty() ? nullptr : dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
        if (handle == nullptr) {
            return;
        }
        // Both are needed: without the second, the library would use more threads than this device may.
        setThreads = reinterpret_cast<SetThreads>(dlsym(handle, "openblas_set_num_threads_local"));
        sgemm = setThreads != nullptr ? reinterpret_cast<Sgemm>(dlsym(handle, "scipy_cblas_sgemm64_")) : nullptr;
    }
};

const Library* findLibrary() {
    return new Library;
}
using TheLibrary = MadeOnce<Library, findLibrary>;

// -- Built in ----------------------------------------------------------------------------------

// A micro-kernel and the tile of c that it keeps in registers: c += a * b, where a is packed in columns of `rows`
// values and b in rows of `columns` values.
struct Tile {
    std::int64_t rows;
    std::int64_t columns;
    void (*run)(const float* a, const float* b, std::int64_t depth, float* c, std::int64_t step);
};

constexpr std::int64_t kMostRows = 12;
constexpr std::int64_t kMostColumns = 32;

#define ACLQ_TILE(name, target, Vector, lanes, tileRows, vectors, loadVector, broadcast, fuse, storeVector) \
    target void name(const float* a, const float* b, std::int64_t depth, float* c, std::int64_t step) {     \
        Vector sums[tileRows][vectors];                                                                     \
        for (int row = 0; row < (tileRows); ++row) {                                                        \
            for (int vector = 0; vector < (vectors); ++vector) {                                            \
                sums[row][vector] = loadVector(c + row * step + vector * (lanes));                          \
            }                                                                                               \
        }                                                                                                   \
        for (std::int64_t k = 0; k < depth; ++k) {                                                          \
            Vector line[vectors];                                                                           \
            for (int vector = 0; vector < (vectors); ++vector) {                                            \
                line[vector] = loadVector(b + k * (vectors) * (lanes) + vector * (lanes));                  \
            }                                                                                               \
            for (int row = 0; row < (tileRows); ++row) {                                                    \
                const Vector value = broadcast(a[k * (tileRows) + row]);                                    \
                for (int vector = 0; vector < (vectors); ++vector) {                                        \
                    sums[row][vector] = fuse(value, line[vector], sums[row][vector]);                       \
                }                                                                                           \
            }                                                                                               \
        }                                                                                                   \
        for (int row = 0; row < (tileRows); ++row) {                                                        \
            for (int vector = 0; vector < (vectors); ++vector) {                                            \
                storeVector(c + row * step + vector * (lanes), sums[row][vector]);                          \
            }                                                                                               \
        }                                                                                                   \
    }

#if defined(__x86_64__)
ACLQ_TILE(tileAvx512, __attribute__((target("avx512f"))), __m512, 16, 12, 2, _mm512_loadu_ps, _mm512_set1_ps,
          _mm512_fmadd_ps, _mm512_storeu_ps)
ACLQ_TILE(tileAvx2, __attribute__((target("avx2,fma"))), __m256, 8, 6, 2, _mm256_loadu_ps, _mm256_set1_ps,
          _mm256_fmadd_ps, _mm256_storeu_ps)
#define ACLQ_FUSE(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
ACLQ_TILE(tilePlain, , __m128, 4, 4, 2, _mm_loadu_ps, _mm_set1_ps, ACLQ_FUSE, _mm_storeu_ps)
#elif defined(__aarch64__)
#define ACLQ_FUSE(a, b, c) vfmaq_f32(c, a, b)
ACLQ_TILE(tilePlain, , float32x4_t, 4, 8, 2, vld1q_f32, vdupq_n_f32, ACLQ_FUSE, vst1q_f32)
#else
#define ACLQ_LOAD(from) (*(from))
#define ACLQ_SAME(value) (value)
#define ACLQ_FUSE(a, b, c) ((a) * (b) + (c))
#define ACLQ_STORE(to, value) (*(to) = (value))
ACLQ_TILE(tilePlain, , float, 1, 4, 8, ACLQ_LOAD, ACLQ_SAME, ACLQ_FUSE, ACLQ_STORE)
#endif

Tile tile() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        return {12, 32, tileAvx512};
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return {6, 16, tileAvx2};
    }
    return {4, 8, tilePlain};
#elif defined(__aarch64__)
    return {8, 8, tilePlain};
#else
    return {4, 8, tilePlain};
#endif
}

// Blocks of b and a that stay in the L2 and L1 caches.
constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kRows = 96;
constexpr std::int64_t kColumns = 512;

// Packs count x depth values into strips of `width`: in a strip, the values of one k follow those of the last. Zeros
// fill the last strip.
void pack(const float* from, std::int64_t step, std::int64_t depthStep, std::int64_t count, std::int64_t depth,
          std::int64_t width, float* to) {
    for (std::int64_t first = 0; first < count; first += width, to += width * depth) {
        const std::int64_t here = std::min(width, count - first);
        if (step == 1) {
            for (std::int64_t k = 0; k < depth; ++k) {
                std::copy_n(from + first + k * depthStep, here, to + k * width);
                std::fill(to + k * width + here, to + (k + 1) * width, 0.0F);
            }
            continue;
        }
        // Values that share a cache line are read together.
        constexpr std::int64_t kLine = 16;
        for (std::int64_t begin = 0; begin < depth; begin += kLine) {
            const std::int64_t end = std::min(begin + kLine, depth);
            for (std::int64_t i = 0; i < width; ++i) {
                for (std::int64_t k = begin; k < end; ++k) {
                    to[k * width + i] = i < here ? from[(first + i) * step + k * depthStep] : 0.0F;
                }
            }
        }
    }
}

// One block of c, at most kRows x kColumns.
void block(const FloatMatrix& a, const FloatMatrix& b, float* c, std::int64_t step, std::int64_t rows,
           std::int64_t columns, std::int64_t depth) {
    const Tile best = tile();
    thread_local std::vector<float> left;
    thread_local std::vector<float> right;
    left.resize(static_cast<std::size_t>((kRows + kMostRows) * kDepth));
    right.resize(static_cast<std::size_t>((kColumns + kMostColumns) * kDepth));
    for (std::int64_t row = 0; row < rows; ++row) {
        std::fill_n(c + row * step, columns, 0.0F);
    }
    for (std::int64_t k = 0; k < depth; k += kDepth) {
        const std::int64_t part = std::min(kDepth, depth - k);
        pack(a.data + k * a.columnStep, a.rowStep, a.columnStep, rows, part, best.rows, left.data());
        pack(b.data + k * b.rowStep, b.columnStep, b.rowStep, columns, part, best.columns, right.data());
        for (std::int64_t column = 0; column < columns; column += best.columns) {
            for (std::int64_t row = 0; row < rows; row += best.rows) {
                const float* strip = left.data() + row * part;
                const float* lines = right.data() + column * part;
                float* to = c + row * step + column;
                const std::int64_t high = std::min(best.rows, rows - row);
                const std::int64_t wide = std::min(best.columns, columns - column);
                if (high == best.rows && wide == best.columns) {
                    best.run(strip, lines, part, to, step);
                    continue;
                }
                float edge[kMostRows * kMostColumns] = {};
                for (std::int64_t i = 0; i < high; ++i) {
                    std::copy_n(to + i * step, wide, edge + i * best.columns);
                }
                best.run(strip, lines, part, edge, best.columns);
                for (std::int64_t i = 0; i < high; ++i) {
                    std::copy_n(edge + i * best.columns, wide, to + i * step);
                }
            }
        }
    }
}

// With this many rows or fewer, b is read once and in its order: packing it would take longer than the product.
constexpr std::int64_t kFewRows = 4;

// a is contiguous.
void multiplyFew(const float* a, const FloatMatrix& b, float* c, std::int64_t rows, std::int64_t columns,
                 std::int64_t depth, std::int64_t begin, std::int64_t end) {
    if (b.columnStep == 1) {
        for (std::int64_t row = 0; row < rows; ++row) {
            float* to = c + row * columns;
            std::fill(to + begin, to + end, 0.0F);
            for (std::int64_t k = 0; k < depth; ++k) {
                const float factor = a[row * depth + k];
                const float* line = b.data + k * b.rowStep;
                for (std::int64_t column = begin; column < end; ++column) {
                    to[column] += factor * line[column];
                }
            }
        }
        return;
    }
    for (std::int64_t column = begin; column < end; ++column) {
        const float* line = b.data + column * b.columnStep;
        for (std::int64_t row = 0; row < rows; ++row) {
            constexpr std::int64_t kSums = 64;
            float sums[kSums] = {};
            const float* factors = a + row * depth;
            std::int64_t k = 0;
            for (; k + kSums <= depth; k += kSums) {
                for (std::int64_t i = 0; i < kSums; ++i) {
                    sums[i] += factors[k + i] * line[k + i];
                }
            }
            for (std::int64_t i = 0; k + i < depth; ++i) {
                sums[i] += factors[k + i] * line[k + i];
            }
            for (std::int64_t width = kSums / 2; width > 0; width /= 2) {
                for (std::int64_t i = 0; i < width; ++i) {
                    sums[i] += sums[i + width];
                }
            }
            c[row * columns + column] = sums[0];
        }
    }
}

void multiplyFew(const FloatMatrix& a, const FloatMatrix& b, float* c, std::int64_t rows, std::int64_t columns,
                 std::int64_t depth) {
    std::vector<float> copied;
    const float* factors = a.data;
    if (a.columnStep != 1 || (rows > 1 && a.rowStep != depth)) {
        copied.resize(static_cast<std::size_t>(rows * depth));
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t k = 0; k < depth; ++k) {
                copied[static_cast<std::size_t>(row * depth + k)] = a.data[row * a.rowStep + k * a.columnStep];
            }
        }
        factors = copied.data();
    }
    // Of a row-major b, a number of columns whose sums stay in the L1 cache.
    const std::int64_t grain = std::max<std::int64_t>(16, kThreadGrain * 16 / std::max<std::int64_t>(1, rows * depth));
    parallelFor(columns, grain, [&](std::int64_t begin, std::int64_t end) {
        constexpr std::int64_t kBlock = 1024;
        for (std::int64_t first = begin; first < end; first += kBlock) {
            const std::int64_t last = std::min(end, first + kBlock);
            widest([=] { multiplyFew(factors, b, c, rows, columns, depth, first, last); });
        }
    });
}

void multiplyOwn(const FloatMatrix& a, const FloatMatrix& b, float* c, std::int64_t rows, std::int64_t columns,
                 std::int64_t depth) {
    if (rows <= kFewRows) {
        multiplyFew(a, b, c, rows, columns, depth);
        return;
    }
    const std::int64_t down = (rows + kRows - 1) / kRows;
    const std::int64_t across = (columns + kColumns - 1) / kColumns;
    const std::int64_t work = std::max<std::int64_t>(1, std::min(rows, kRows) * std::min(columns, kColumns) * depth);
    parallelFor(down * across, std::max<std::int64_t>(1, kThreadGrain * 16 / work),
                [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t number = begin; number < end; ++number) {
                        const std::int64_t row = number / across * kRows;
                        const std::int64_t column = number % across * kColumns;
                        block({a.data + row * a.rowStep, a.rowStep, a.columnStep},
                              {b.data + column * b.columnStep, b.rowStep, b.columnStep}, c + row * columns + column,
                              columns, std::min(kRows, rows - row), std::min(kColumns, columns - column), depth);
                    }
                });
}

// For smaller products, calling the library costs more than it saves.
constexpr std::int64_t kSmall = 8 * 8 * 8;

}  // namespace

void multiply(const FloatMatrix& a, const FloatMatrix& b, float* c, std::int64_t rows, std::int64_t columns,
              std::int64_t depth) {
    const Library& found = TheLibrary::get();
    if (found.sgemm == nullptr || depth == 0 || rows * columns * depth <= kSmall) {
        multiplyOwn(a, b, c, rows, columns, depth);
        return;
    }
    constexpr int kRowMajor = 101;
    constexpr int kAsItIs = 111;
    constexpr int kTransposed = 112;
    const bool turnA = a.columnStep != 1;
    const bool turnB = b.columnStep != 1;
    const int before = found.setThreads(static_cast<int>(threadCount()));
    found.sgemm(kRowMajor, turnA ? kTransposed : kAsItIs, turnB ? kTransposed : kAsItIs, rows, columns, depth, 1.0F,
                a.data, std::max(turnA ? a.columnStep : a.rowStep, std::int64_t{1}), b.data,
                std::max(turnB ? b.columnStep : b.rowStep, std::int64_t{1}), 0.0F, c, columns);
    found.setThreads(before);
}

const char* productLibrary() {
    return TheLibrary::get().sgemm != nullptr ? "openblas" : "own";
}

}  // namespace aclq::everyday
