// SPDX-License-Identifier: Apache-2.0
// How the everyday operators compute: elements become double or int64, and are rounded once when they are written. A
// double holds every float type, and one operation on them exactly enough that rounding it is the correct rounding.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "meta/executor.h"

namespace aclq::everyday {

using Complex = std::complex<double>;

// FLOAT16, BF16, FLOAT, DOUBLE.
bool isFloating(aclDataType dtype);
// COMPLEX64, COMPLEX128: operators whose rows in types.inc name them take them.
bool isComplex(aclDataType dtype);
// The types all these operators take: floats, integers up to 64 bits, BOOL.
bool isNumber(aclDataType dtype);
// UINT16, UINT32 and UINT64 have nothing in common with other types, as in PyTorch.
bool haveCommonType(aclDataType a, aclDataType b);
// What two types have in common: the wider one, complex numbers before floats, floats before integers, integers before
// BOOL.
aclDataType promote(aclDataType a, aclDataType b);

// Whether a result of the first type may be written as one of the second: complex numbers stay complex, floats do not
// become integers, and only BOOL becomes BOOL.
bool canCast(aclDataType from, aclDataType to);

// n elements `step` apart from `offset` on (in elements, without the view's own offset).
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, double* to);
// Of complex numbers the real part. Floats are cut off and saturated.
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, std::int64_t* to);
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, Complex* to);
// Into integers: cut off and saturated, NaN gives 0. Into BOOL: whether the value is not 0.
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const double* from);
// Into narrower integers: the low bits.
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const std::int64_t* from);

void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const Complex* from);
// The same elements, converted to the type `through` first, as Cast converts them.
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 double* to);
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 std::int64_t* to);
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 Complex* to);

// The nearest value of a float type.
double roundTo(aclDataType dtype, double value);

// A number of the host.
bool isFloating(const aclScalar& scalar);
double real(const aclScalar& scalar);
std::int64_t integer(const aclScalar& scalar);
Complex complex(const aclScalar& scalar);

// The number as the computation takes it: arithmetic in 16-bit types is done in FLOAT.
template <class Domain>
Domain as(const aclScalar& scalar, aclDataType computed) {
    if constexpr (std::is_same_v<Domain, double>) {
        return computed == ACL_DOUBLE ? real(scalar) : roundTo(ACL_FLOAT, real(scalar));
    } else {
        return integer(scalar);
    }
}

}  // namespace aclq::everyday
