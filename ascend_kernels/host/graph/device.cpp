// SPDX-License-Identifier: Apache-2.0
#include "graph/device.h"

#include <string>
#include <utility>

#include "graph/failure.h"

namespace aclq::graph {

void check(int status) {
    if (status != 0) {
        const char* message = aclGetRecentErrMsg();
        throw Failure(message != nullptr ? message : "the device answered " + std::to_string(status));
    }
}

Device::Device(aclrtStream stream, std::shared_ptr<ge::Allocator> allocator)
    : stream_(stream), allocator_(std::move(allocator)) {}

Device::~Device() {
    if (!allocator_) {
        aclrtSynchronizeStream(stream_);
    }
}

void Device::wait() {
    check(aclrtSynchronizeStream(stream_));
}

std::shared_ptr<std::uint8_t> Device::allocate(std::uint64_t size) {
    size += size == 0;
    if (!allocator_) {
        void* memory = nullptr;
        check(aclrtMalloc(&memory, size, ACL_MEM_MALLOC_HUGE_FIRST));
        return {static_cast<std::uint8_t*>(memory), [](std::uint8_t* freed) { aclrtFree(freed); }};
    }
    ge::MemBlock* block = allocator_->Malloc(size);
    if (block == nullptr) {
        throw Failure("the client's allocator has no " + std::to_string(size) + " bytes of device memory");
    }
    return {static_cast<std::uint8_t*>(block->address()),
            [allocator = allocator_, block](std::uint8_t*) { allocator->Free(block); }};
}

Value Device::make(aclDataType dtype, Dims shape) {
    Value value{dtype, std::move(shape), true, nullptr};
    value.data = allocate(bytesOf(value));
    kept_.push_back(value.data);
    own_.insert(value.data.get());
    return value;
}

// New memory may still be in use by the stream, and host memory may be freed at any time, so copies in both directions
// wait.
Value Device::transfer(const Value& value, Value target, aclrtMemcpyKind kind) {
    if (const std::uint64_t size = bytesOf(value); size != 0) {
        wait();
        check(aclrtMemcpy(target.data.get(), size, value.data.get(), size, kind));
    }
    return target;
}

Value Device::toDevice(const Value& value) {
    if (value.onDevice) {
        return value;
    }
    return transfer(value, make(value.dtype, value.shape), ACL_MEMCPY_HOST_TO_DEVICE);
}

Value Device::toHost(const Value& value) {
    if (!value.onDevice) {
        return value;
    }
    return transfer(value, makeHost(value.dtype, value.shape), ACL_MEMCPY_DEVICE_TO_HOST);
}

Value Device::copy(const Value& value, std::shared_ptr<std::uint8_t> target) {
    const Value source = toDevice(value);
    Value copied{source.dtype, source.shape, true, target ? std::move(target) : make(source.dtype, source.shape).data};
    if (const std::uint64_t size = bytesOf(source); size != 0) {
        check(aclrtMemcpyAsync(copied.data.get(), size, source.data.get(), size, ACL_MEMCPY_DEVICE_TO_DEVICE, stream_));
    }
    return copied;
}

TensorHandle Device::view(const Value& value, const Dims& shape, const Dims& strides) {
    const Value there = toDevice(value);
    TensorHandle handle(aclCreateTensor(shape.data(), shape.size(), there.dtype,
                                        strides.empty() ? nullptr : strides.data(), 0, ACL_FORMAT_ND,
                                        there.shape.data(), there.shape.size(), there.data.get()));
    if (handle == nullptr) {
        check(ACL_ERROR_INVALID_PARAM);
    }
    return handle;
}

TensorHandle Device::tensor(const Value& value) {
    return view(value, value.shape, {});
}

TensorHandle Device::tensor(const Value* value) {
    return value != nullptr ? tensor(*value) : TensorHandle(nullptr);
}

}  // namespace aclq::graph
