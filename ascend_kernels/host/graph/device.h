// SPDX-License-Identifier: Apache-2.0
// The device for one run of a graph: memory, copies and operators in the order of one stream, only through the public
// C interface.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "acl/acl_rt.h"
#include "graph/ge.h"
#include "graph/value.h"
#include "meta/handles.h"

namespace aclq::graph {

// Throws Failure, with the sentence of the C function that failed, unless the status is 0.
void check(int status);

class Device {
  public:
    // Memory comes from the allocator, which follows the stream's order; without an allocator, from the device.
    Device(aclrtStream stream, std::shared_ptr<ge::Allocator> allocator);
    // Memory of the device must not be freed before the work that uses it is done.
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    Value make(aclDataType dtype, Dims shape);
    Value toDevice(const Value& value);
    Value toHost(const Value& value);
    // A copy in new memory, or in `target` if given.
    Value copy(const Value& value, std::shared_ptr<std::uint8_t> target = nullptr);
    // Whether the value's memory was allocated here and is still owned; if so, ownership passes to the caller.
    bool giveAway(const Value& value) { return own_.erase(value.data.get()) != 0; }
    void wait();

    // The value as an operator's argument; null for null.
    TensorHandle tensor(const Value& value);
    TensorHandle tensor(const Value* value);
    // The elements in another order; strides count elements.
    TensorHandle view(const Value& value, const Dims& shape, const Dims& strides);

    // Both phases of an operator; `arguments` are those of phase 1 before the workspace size.
    template <class PhaseOne, class PhaseTwo, class... Arguments>
    void call(PhaseOne phaseOne, PhaseTwo phaseTwo, Arguments&&... arguments) {
        std::uint64_t size = 0;
        aclOpExecutor* executor = nullptr;
        check(phaseOne(static_cast<Arguments&&>(arguments)..., &size, &executor));
        check(phaseTwo(size != 0 ? kept_.emplace_back(allocate(size)).get() : nullptr, size, executor, stream_));
    }

  private:
    Value transfer(const Value& value, Value target, aclrtMemcpyKind kind);
    std::shared_ptr<std::uint8_t> allocate(std::uint64_t size);

    aclrtStream stream_;
    std::shared_ptr<ge::Allocator> allocator_;
    std::vector<std::shared_ptr<std::uint8_t>> kept_;  // until the end of the run
    std::set<const std::uint8_t*> own_;
};

}  // namespace aclq::graph
