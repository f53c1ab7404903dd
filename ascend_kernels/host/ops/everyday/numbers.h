// SPDX-License-Identifier: Apache-2.0
// How the everyday operators compute: elements become double or int64, and are rounded once when they are written. A
// double holds every float type, and is wide enough that rounding the result of one operation twice gives the correctly
// rounded result.
#pragma once

#include <complex>
#include <cstdint>
#include <new>
#include <vector>

#include "meta/executor.h"

namespace aclq::everyday {

using Complex = std::complex<double>;

// Elements that are read, computed and written at a time: a few such rows of doubles stay in L1.
constexpr std::int64_t kRoom = 1024;

// A row of them. Aligned, so that no vector lies in two cache lines.
template <class T>
struct Room {
    alignas(64) T values[kRoom];
};
// A row of any length, aligned in the same way. Its elements have no value at first.
template <class T>
struct Aligned {
    using value_type = T;
    Aligned() = default;
    template <class Other>
    explicit Aligned(const Aligned<Other>&) {}
    T* allocate(std::size_t count) { return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{64})); }
    // Elements without a value are left as they are.
    template <class Element>
    void construct(Element* at) {
        ::new (static_cast<void*>(at)) Element;
    }
    template <class Element, class... Values>
    void construct(Element* at, Values&&... values) {
        ::new (static_cast<void*>(at)) Element(static_cast<Values&&>(values)...);
    }
    void deallocate(T* memory, std::size_t) { ::operator delete (memory, std::align_val_t{64}); }
    bool operator==(const Aligned&) const = default;
};
template <class T>
using Row = std::vector<T, Aligned<T>>;

// FLOAT16, BF16, FLOAT, DOUBLE.
bool isFloating(aclDataType dtype);
// FLOAT16, BF16, FLOAT: types whose numbers a float holds.
bool fitsFloat(aclDataType dtype);
// COMPLEX64, COMPLEX128: accepted by operators whose rows in types.inc list them.
bool isComplex(aclDataType dtype);
// The types that all these operators accept: floats, integers of up to 64 bits, BOOL.
bool isNumber(aclDataType dtype);
// UINT16, UINT32 and UINT64 have no common type with others, as in PyTorch.
bool haveCommonType(aclDataType a, aclDataType b);
// The common type of two types: the wider one, where complex comes before float, float before integer, integer before
// BOOL.
aclDataType promote(aclDataType a, aclDataType b);

// Whether a result of the first type may be written as one of the second: complex numbers stay complex, floats do not
// become integers, and only BOOL becomes BOOL.
bool canCast(aclDataType from, aclDataType to);

// Reads n elements from `offset` on, `step` apart; both count elements, and the view's offset is not included.
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, double* to);
// In single precision, for types that fit a float.
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, float* to);
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const float* from);
// Complex numbers give their real part. Floats are truncated and saturated.
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, std::int64_t* to);
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, Complex* to);
// To integers: truncated and saturated, NaN gives 0. To BOOL: whether the value is not 0.
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const double* from);
// To narrower integers: the low bits.
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const std::int64_t* from);

void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const Complex* from);
// The elements where they lie, if they are FLOAT, one after the other and aligned; else null.
const float* floatsAt(const View& view, std::int64_t offset, std::int64_t step);
// The same elements, converted to the type `through` first, as Cast converts them.
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 float* to);
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 double* to);
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 std::int64_t* to);
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 Complex* to);

// The nearest value of a float type.
double roundTo(aclDataType dtype, double value);

// The value of an aclScalar.
bool isFloating(const aclScalar& scalar);
double real(const aclScalar& scalar);
std::int64_t integer(const aclScalar& scalar);
Complex complex(const aclScalar& scalar);

// The number rounded as the computation needs it: arithmetic in 16-bit types is done in FLOAT.
template <class Domain>
Domain as(const aclScalar& scalar, aclDataType computed) {
    if constexpr (std::is_same_v<Domain, double>) {
        return computed == ACL_DOUBLE ? real(scalar) : roundTo(ACL_FLOAT, real(scalar));
    } else {
        return integer(scalar);
    }
}

}  // namespace aclq::everyday
