// SPDX-License-Identifier: Apache-2.0
// The device as a run of a graph uses it: memory, copies and operators in the order of one stream, through the public
// C interface and nothing else.
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
    // Memory comes from the allocator, whose memory is the stream's; without one from the device itself.
    Device(aclrtStream stream, std::shared_ptr<ge::Allocator> allocator);
    // Memory of the device itself must not go before the work that uses it is done.
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    Value make(aclDataType dtype, Dims shape);
    Value toDevice(const Value& value);
    Value toHost(const Value& value);
    // A copy in memory of its own; `target`, if given, is where it goes.
    Value copy(const Value& value, std::shared_ptr<std::uint8_t> target = nullptr);
    // Whether the value's memory was made here and has not been given away yet; then it is now.
    bool giveAway(const Value& value) { return own_.erase(value.data.get()) != 0; }
    void wait();

    // The value as an operator's argument; null for null.
    TensorHandle tensor(const Value& value);
    TensorHandle tensor(const Value* value);
    // Its elements in another order: strides count elements.
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
