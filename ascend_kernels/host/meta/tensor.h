// SPDX-License-Identifier: Apache-2.0
// An aclTensor: a strided view of memory, whose address may still be unknown.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "aclnn/acl_meta.h"
#include "meta/dtype.h"

namespace aclq {

class LateShape;

// The product of dimensions: 0 if one is 0 or less, however large the others are; INT64_MAX if it is larger.
std::int64_t product(const std::int64_t* dimensions, std::int64_t rank);

// Up to the maximum rank of CANN's shapes.
class Dims {
  public:
    static constexpr std::uint64_t kMaxRank = 25;

    Dims() = default;
    Dims(const std::int64_t* values, std::uint64_t count);

    std::int64_t rank() const { return rank_; }
    std::int64_t operator[](std::int64_t index) const { return values_[index]; }
    std::int64_t& operator[](std::int64_t index) { return values_[index]; }
    std::int64_t last() const { return values_[rank_ - 1]; }
    // Elements of a tensor of this shape; 0 also when a dimension is negative.
    std::int64_t elements() const;
    bool operator==(const Dims& other) const;
    // "(2, 3)"
    std::string text() const;
    const std::int64_t* data() const { return values_; }

    static Dims contiguousStrides(const Dims& shape);

  private:
    std::int64_t rank_ = 0;
    std::int64_t values_[kMaxRank] = {};
};

}  // namespace aclq

struct aclTensor {
    aclDataType dtype = ACL_DT_UNDEFINED;
    aclFormat format = ACL_FORMAT_ND;
    std::int64_t offset = 0;  // of the first element, in elements of the storage
    aclq::Dims shape;
    aclq::Dims strides;  // in elements
    aclq::Dims storage;
    void* data = nullptr;                   // address of element 0 of the storage
    std::shared_ptr<aclq::LateShape> late;  // of outputs whose shape the kernel finds (meta/late_shape.h)

    std::int64_t elements() const { return shape.elements(); }
    bool empty() const { return elements() == 0; }
    // True if the elements are consecutive; dimensions of size 1 and tensors of at most one element are ignored.
    bool contiguous() const;
    // The elements the view reaches, relative to element 0 of the storage: [first, last].
    void reach(std::int64_t& first, std::int64_t& last) const;
};

struct aclScalar {
    aclDataType dtype;
    std::vector<unsigned char> bytes;
};

struct aclIntArray {
    std::vector<std::int64_t> values;
};

struct aclFloatArray {
    std::vector<float> values;
};

struct aclBoolArray {
    std::vector<unsigned char> values;
};

// Destroying a list destroys its tensors, as in CANN.
struct aclTensorList {
    std::vector<aclTensor*> tensors;
};

struct aclScalarList {
    std::vector<aclScalar*> scalars;
};
