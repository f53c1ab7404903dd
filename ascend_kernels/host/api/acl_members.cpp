// SPDX-License-Identifier: Apache-2.0
// Members of CANN's classes that C++ programs call, such as numpy-ascend. CANN's headers for them are internal; the
// names are a binary interface, and the results are what they say. Each is a function under the name of the member,
// which is called in the same way: the object is the first argument.
#include <complex>

#include "meta/dtype.h"
#include "meta/tensor.h"
#include "ops/everyday/numbers.h"

#define MEMBER(name) __asm__(name) __attribute__((visibility("default")))

void* dataOfTensor(const aclTensor& tensor) MEMBER("_ZNK9aclTensor7GetDataEv");
const void* dataOfScalar(const aclScalar& scalar) MEMBER("_ZNK9aclScalar7GetDataEv");
aclDataType typeOfScalar(const aclScalar& scalar) MEMBER("_ZNK9aclScalar11GetDataTypeEv");
float floatOfScalar(const aclScalar& scalar) MEMBER("_ZNK9aclScalar7ToFloatEv");
std::complex<float> complexOfScalar(const aclScalar& scalar) MEMBER("_ZNK9aclScalar11ToComplex64Ev");
std::complex<double> doubleComplexOfScalar(const aclScalar& scalar) MEMBER("_ZNK9aclScalar12ToComplex128Ev");
// An aclIntArray is CANN's aclArray<int64_t>.
const std::int64_t* dataOfArray(const aclIntArray& array) MEMBER("_ZNK8aclArrayIlE7GetDataEv");

// The address of the first element of the view.
void* dataOfTensor(const aclTensor& tensor) {
    return tensor.data == nullptr
               ? nullptr
               : static_cast<unsigned char*>(tensor.data) + tensor.offset * aclq::bitsOf(tensor.dtype) / 8;
}

const void* dataOfScalar(const aclScalar& scalar) {
    return scalar.bytes.data();
}

aclDataType typeOfScalar(const aclScalar& scalar) {
    return scalar.dtype;
}

float floatOfScalar(const aclScalar& scalar) {
    return static_cast<float>(aclq::everyday::real(scalar));
}

std::complex<float> complexOfScalar(const aclScalar& scalar) {
    return std::complex<float>(doubleComplexOfScalar(scalar));
}

std::complex<double> doubleComplexOfScalar(const aclScalar& scalar) {
    const aclq::everyday::Complex value = aclq::everyday::complex(scalar);
    return {value.real(), value.imag()};
}

const std::int64_t* dataOfArray(const aclIntArray& array) {
    return array.values.data();
}
