// SPDX-License-Identifier: Apache-2.0
// One call on its way through a wrapper.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "function.h"

namespace aclq::trace {

struct ExecutorEntry;

struct Call {
    // Not inline: each wrapper would have a copy.
    Call(Function& called, std::uint64_t* with);
    ~Call();

    Function& function;
    std::uint64_t* values;  // one for each parameter, as bits

    std::uint64_t result = 0;
    std::uint64_t number = 0;
    std::int64_t start = 0, end = 0;  // ns
    std::uint32_t wanted = 0;
    int timing = -1;                          // of device_time.h
    std::string text, json;                   // arguments, where they have to be written before the call
    std::string error;                        // what the library says about a failure
    std::shared_ptr<ExecutorEntry> executor;  // of a phase 2: what phase 1 was asked
    std::uint64_t record = 0;                 // number in the recording, 0: not recorded
    // Calls a function of the same type with these values; only for functions of phase 1.
    std::int32_t (*invoke)(void* other, const std::uint64_t* values) = nullptr;

    std::int32_t status() const { return static_cast<std::int32_t>(result); }
    bool failed() const { return function.result == Kind::Status && status() != 0; }
};

// Whether this thread is inside a traced call: what CANN's libraries call then is their own business.
extern thread_local int depth __attribute__((tls_model("initial-exec")));

// Reads the environment.
bool setUp();

void before(Call& call);
void after(Call& call);

// The function behind a wrapper; ends the process with the loader's message if it is missing.
void* target(Function& function);

template <class T>
std::uint64_t bits(T value) {
    if constexpr (std::is_pointer_v<T>) {
        return reinterpret_cast<std::uint64_t>(value);
    } else if constexpr (std::is_floating_point_v<T>) {
        return std::bit_cast<std::uint64_t>(static_cast<double>(value));
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        return static_cast<std::uint64_t>(value);
    } else {
        return 0;  // a structure by value: not written
    }
}

template <class R>
R back(std::uint64_t result) {
    if constexpr (std::is_pointer_v<R>) {
        return reinterpret_cast<R>(result);
    } else if constexpr (std::is_floating_point_v<R>) {
        return static_cast<R>(std::bit_cast<double>(result));
    } else {
        return static_cast<R>(result);
    }
}

// Calls `other`, a function of type Pointer, with values as bits() made them.
template <class R, class... A>
std::int32_t invoke(R (*)(A...), void* other, const std::uint64_t* values) {
    const auto function = reinterpret_cast<R (*)(A...)>(other);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return static_cast<std::int32_t>(function(back<A>(values[I])...));
    }
    (std::index_sequence_for<A...>{});
}

template <class... A>
constexpr bool kIsPhaseOne = false;
template <class A, class... More>
constexpr bool kIsPhaseOne<A, More...> = kIsPhaseOne<More...>;
template <>
inline constexpr bool kIsPhaseOne<std::uint64_t*, aclOpExecutor**> = true;

// Whether somebody wants to know of this call.
inline bool isTraced(const Function& function) {
    return depth == 0 && (function.wanted.load(std::memory_order_relaxed) != 0 || function.before != nullptr ||
                          function.after != nullptr);
}

// A traced call: one copy for all functions of this type.
template <class Pointer, class... A>
[[gnu::noinline]] auto tracedCall(Pointer real, Function& function, A... arguments) {
    using R = decltype(real(arguments...));
    std::uint64_t values[sizeof...(A) + 1] = {bits(arguments)...};
    if constexpr (sizeof...(A) > 0) {
        if (static_cast<int>(sizeof...(A)) > function.count && function.count > 0) {
            values[function.count - 1] = values[sizeof...(A) - 1];  // the text of a printf-like function
        }
    }
    Call call(function, values);
    if constexpr (kIsPhaseOne<A...>) {
        call.invoke = [](void* other, const std::uint64_t* with) { return invoke(Pointer{}, other, with); };
    }
    const int step = function.transparent ? 0 : 1;
    before(call);
    depth += step;
    if constexpr (std::is_void_v<R>) {
        real(arguments...);
    } else {
        call.result = bits(real(arguments...));
    }
    depth -= step;
    after(call);
    if constexpr (!std::is_void_v<R>) {
        return back<R>(call.result);
    }
}

// The body of every wrapper.
template <class Pointer, class... A>
auto call(Function& function, A... arguments) {
    const auto real = reinterpret_cast<Pointer>(target(function));
    return isTraced(function) ? tracedCall(real, function, arguments...) : real(arguments...);
}

}  // namespace aclq::trace
