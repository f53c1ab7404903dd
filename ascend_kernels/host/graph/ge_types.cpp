// SPDX-License-Identifier: Apache-2.0
// Strings, shapes, descriptions and tensors, which client and engine exchange.
#include <utility>

#include "graph/failure.h"
#include "graph/ge.h"

using aclq::graph::guarded;
using aclq::graph::kFailed;
using aclq::graph::kSuccess;

namespace ge {

AscendString::AscendString(const char* text) : text_(text != nullptr ? std::make_shared<std::string>(text) : nullptr) {}

const char* AscendString::GetString() const {
    return text_ ? text_->c_str() : "";
}

bool AscendString::operator<(const AscendString& other) const {
    return std::string_view(GetString()) < other.GetString();
}

bool AscendString::operator==(const AscendString& other) const {
    return std::string_view(GetString()) == other.GetString();
}

struct Shape::Hidden {
    std::vector<std::int64_t> dims;
};

Shape::Shape(const std::vector<std::int64_t>& dims) : hidden_(std::make_shared<Hidden>(Hidden{dims})) {}

std::vector<std::int64_t> Shape::GetDims() const {
    return hidden_ ? hidden_->dims : std::vector<std::int64_t>();
}

struct TensorDesc::Hidden {
    DataType dtype = DT_FLOAT;
    Format format = FORMAT_ND;
    Format originFormat = FORMAT_ND;
    Placement placement = kPlacementHost;
    std::vector<std::int64_t> dims;
    std::vector<std::int64_t> originDims;
};

TensorDesc::TensorDesc() : hidden_(std::make_shared<Hidden>()) {}
void TensorDesc::SetDataType(DataType dtype) {
    hidden_->dtype = dtype;
}
void TensorDesc::SetFormat(Format format) {
    hidden_->format = format;
}
void TensorDesc::SetOriginFormat(Format format) {
    hidden_->originFormat = format;
}
void TensorDesc::SetOriginShape(const Shape& shape) {
    hidden_->originDims = shape.GetDims();
}
void TensorDesc::SetPlacement(Placement placement) {
    hidden_->placement = placement;
}
DataType TensorDesc::GetDataType() const {
    return hidden_->dtype;
}
Format TensorDesc::GetFormat() const {
    return hidden_->format;
}
Placement TensorDesc::GetPlacement() const {
    return hidden_->placement;
}
Shape TensorDesc::GetShape() const {
    return Shape(hidden_->dims);
}

struct Tensor::Hidden {
    TensorDesc::Hidden description;
    std::unique_ptr<std::uint8_t[], DeleteFunc> data{nullptr, [](std::uint8_t*) {}};
    std::size_t size = 0;
};

Tensor::Tensor() : hidden_(std::make_shared<Hidden>()) {}

// Descriptions are values: changing a copy does not change the original.
TensorDesc Tensor::GetTensorDesc() const {
    TensorDesc copy;
    *copy.hidden_ = hidden_->description;
    return copy;
}

Status Tensor::SetTensorDesc(const TensorDesc& description) {
    return guarded([&] { hidden_->description = *description.hidden_; });
}

const std::uint8_t* Tensor::GetData() const {
    return hidden_->data.get();
}
std::uint8_t* Tensor::GetData() {
    return hidden_->data.get();
}
std::size_t Tensor::GetSize() const {
    return hidden_->size;
}

Status Tensor::SetData(std::uint8_t* data, std::size_t size, const DeleteFunc& release) {
    return ResetData(data, size, release);
}

Status Tensor::ResetData(std::uint8_t* data, std::size_t size, const DeleteFunc& release) {
    return guarded([&] {
        // The deleter first, as copying it may fail.
        decltype(hidden_->data) given(
            nullptr, release ? release : [](std::uint8_t*) {});
        given.reset(data);
        hidden_->data = std::move(given);
        hidden_->size = size;
    });
}

std::unique_ptr<std::uint8_t[], Tensor::DeleteFunc> Tensor::ResetData() {
    decltype(hidden_->data) handed = std::move(hidden_->data);
    hidden_->data = {nullptr, [](std::uint8_t*) {}};
    hidden_->size = 0;
    return handed;
}

namespace {

// Far above the rank of any tensor; prevents a wrong number from allocating all memory.
constexpr std::size_t kMaxDims = 1024;

Status resize(std::vector<std::int64_t>& dims, std::size_t count) {
    return guarded([&] {
        if (count > kMaxDims) {
            throw aclq::graph::Failure("a tensor cannot have " + std::to_string(count) + " dimensions");
        }
        dims.resize(count);
    });
}

Status set(std::vector<std::int64_t>& dims, std::size_t index, std::int64_t size) {
    return guarded([&] {
        if (index >= dims.size()) {
            throw aclq::graph::Failure("a tensor of " + std::to_string(dims.size()) + " dimensions has no dimension " +
                                       std::to_string(index));
        }
        dims[index] = size;
    });
}

}  // namespace

std::size_t Tensor::GetShapeDimNum() const {
    return hidden_->description.dims.size();
}
std::int64_t Tensor::GetShapeDim(std::size_t index) const {
    const auto& dims = hidden_->description.dims;
    return index < dims.size() ? dims[index] : 0;
}
Status Tensor::SetShapeDimNum(std::size_t count) {
    return resize(hidden_->description.dims, count);
}
Status Tensor::SetShapeDim(std::size_t index, std::int64_t size) {
    return set(hidden_->description.dims, index, size);
}
std::size_t Tensor::GetOriginShapeDimNum() const {
    return hidden_->description.originDims.size();
}
Status Tensor::SetOriginShapeDimNum(std::size_t count) {
    return resize(hidden_->description.originDims, count);
}
Status Tensor::SetOriginShapeDim(std::size_t index, std::int64_t size) {
    return set(hidden_->description.originDims, index, size);
}

DataType Tensor::GetDataType() const {
    return hidden_->description.dtype;
}
Format Tensor::GetFormat() const {
    return hidden_->description.format;
}
Placement Tensor::GetPlacement() const {
    return hidden_->description.placement;
}

Status Tensor::SetDataType(const DataType& dtype) {
    hidden_->description.dtype = dtype;
    return kSuccess;
}

Status Tensor::SetFormat(const Format& format) {
    hidden_->description.format = format;
    return kSuccess;
}

Status Tensor::SetPlacement(const Placement& placement) {
    hidden_->description.placement = placement;
    return kSuccess;
}

}  // namespace ge
