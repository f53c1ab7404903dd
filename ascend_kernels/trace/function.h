// SPDX-License-Identifier: Apache-2.0
// What the headers declare, as data: one Function for each prototype, in the order of functions.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "functions.h"  // made from include/

namespace aclq::trace {

// How a value is written. Out... are pointers to one number that the function writes.
enum class Kind : std::uint8_t {
    Nothing,
    Bool,
    Signed8,
    Signed16,
    Signed32,
    Signed64,
    Unsigned8,
    Unsigned16,
    Unsigned32,
    Unsigned64,
    Float,
    Double,
    Enum,
    Text,
    Int64s,
    Pointer,
    Stream,
    Executor,
    Tensor,
    TensorList,
    Scalar,
    ScalarList,
    Array,
    OutSigned8,
    OutSigned16,
    OutSigned32,
    OutSigned64,
    OutUnsigned8,
    OutUnsigned16,
    OutUnsigned32,
    OutUnsigned64,
    OutFloat,
    OutDouble,
    OutEnum,
    OutPointer,
    Status,
    Opaque,
};

struct EnumEntry {
    std::int64_t value;
    const char* name;
};

struct Parameter {
    const char* name;
    const char* type;
    Kind kind;
    const EnumEntry* members;  // of an enumeration
    int memberCount;
};

struct Call;

struct Function {
    const char* name;
    const char* header;
    Kind result;
    const Parameter* parameters;
    int count;

    std::atomic<void*> real{nullptr};       // the function behind the wrapper, once it is known
    std::atomic<std::uint32_t> wanted{0};   // bit n: session n has to see its calls
    std::atomic<std::uint32_t> written{0};  // bit n: and writes them down
    void (*before)(Call& call) = nullptr;   // keeps the books (books.cpp), for functions that change them
    void (*after)(Call& call) = nullptr;    //
    Function* phaseTwo = nullptr;           // of a phase 1: its phase 2
    bool isPhaseTwo = false;
    bool launches = false;     // puts work on a stream
    bool transparent = false;  // a helper of the client: calls inside it are the client's
    int stream = -1;           // position of its stream
};

extern Function functions[kFunctionCount];

// The exported function of the same name.
void* wrapperOf(const Function& function);

// The function of this name, or null.
Function* findFunction(const char* name);

// The name of a status code, or an empty text.
const char* codeName(std::int64_t code);

// The function behind the wrapper, looked up at first use; null when no loaded library has it.
void* realOrNull(Function& function);

// The same for our own calls, with its type: real<F_aclrtMemcpy>() is null or aclrtMemcpy.
#define ACLQ_REAL(NAME) \
    reinterpret_cast<decltype(&::NAME)>(::aclq::trace::realOrNull(::aclq::trace::functions[F_##NAME]))

}  // namespace aclq::trace
