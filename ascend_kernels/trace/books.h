// SPDX-License-Identifier: Apache-2.0
// What is known about the objects behind handles: kept from the calls that make and change them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "call.h"

namespace aclq::trace {

struct Tensor {
    std::int32_t dtype = -1, format = -1;
    std::int64_t offset = 0;  // elements
    std::uint64_t data = 0;   // address of storage element 0
    std::vector<std::int64_t> dims, strides, storage;
};

// The bytes that a tensor can touch, counted from its data address.
struct Hull {
    std::int64_t first = 0, size = 0;
};
// Nothing when the numbers do not make sense.
std::optional<Hull> hullOf(const Tensor& tensor);

struct Scalar {
    std::int32_t dtype = -1;
    unsigned char bytes[16] = {};
};

struct Array {
    std::variant<std::vector<std::int64_t>, std::vector<float>, std::vector<bool>> values;
};

struct List {
    std::vector<std::uint64_t> members;  // handles
};

// An argument of phase 1, kept for as long as its executor.
struct Argument {
    const Parameter* parameter = nullptr;
    std::uint64_t bits = 0;
    std::string text;  // of a string
    std::variant<std::monostate, Tensor, Scalar, Array, std::vector<std::pair<std::uint64_t, std::optional<Tensor>>>,
                 std::vector<std::optional<Scalar>>>
        object;
};

struct ExecutorEntry {
    std::uint64_t number = 0;  // of the call of phase 1
    Function* operation = nullptr;
    bool repeatable = false;
    std::string text;                 // the arguments, for messages
    std::vector<Argument> arguments;  // only while recording or explaining
};

// Each is empty for a handle that is not known; tensors made before tracing began are queried.
std::optional<Tensor> tensorOf(std::uint64_t handle);
std::optional<Scalar> scalarOf(std::uint64_t handle);
std::optional<Array> arrayOf(std::uint64_t handle);
std::optional<List> listOf(std::uint64_t handle);

// "dev", "host" or "": where an address is, as far as allocations were seen.
const char* placeOf(std::uint64_t address);

std::vector<Argument> keepArguments(const Call& phaseOne);
void addExecutor(std::uint64_t handle, std::shared_ptr<ExecutorEntry> entry);
std::shared_ptr<ExecutorEntry> executorOf(std::uint64_t handle);
void dropExecutor(std::uint64_t handle);

// Around a fork, so that the child finds the books in order.
void lockBooks();
void unlockBooks();

// Says in each Function whether it changes the books.
void watchFunctions();

}  // namespace aclq::trace
