// SPDX-License-Identifier: Apache-2.0
// Members of CANN's classes for graphs that are built in C++, without which MindSpore cannot be loaded. Its operators
// that have aclnn functions run without them. Each throws an exception that names it: some return objects, so that a
// status would not reach the caller.
#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "graph/failure.h"
#include "graph/ge.h"

namespace {

const char* sentence(const char* symbol) noexcept {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(symbol, nullptr, nullptr, &status),
                                                           &std::free);
    aclq::graph::report((std::string(name != nullptr ? name.get() : symbol) +
                         ": the host device does not run graphs that are built node by node; run operators one by one "
                         "instead (MindSpore: PYNATIVE_MODE)")
                            .c_str());
    return aclq::graph::lastReport();
}

// Throws std::runtime_error of the program's C++ runtime: this library has another one, whose exceptions the program
// cannot catch. Nothing may have to be destroyed here and in the members, as that would be done by this library's
// runtime.
[[noreturn]] void refuse(const char* symbol) {
    using Throw = void (*)(const char*);
    const char* const text = sentence(symbol);
    if (const auto raise = reinterpret_cast<Throw>(dlsym(RTLD_DEFAULT, "_ZSt21__throw_runtime_errorPKc"))) {
        raise(text);
    }
    std::fprintf(stderr, "aclquant: %s\n", text);
    std::abort();
}

}  // namespace

// The arguments are never read.
#define MEMBER(symbol)               \
    extern "C" GE_API void symbol(); \
    void symbol() {                  \
        refuse(#symbol);             \
    }
#include "missing/ge_members.inc"

// Static objects of MindSpore register its own operators, of which no graph is ever built here.
#define REGISTRATION(symbol)         \
    extern "C" GE_API void symbol(); \
    void symbol() {}
REGISTRATION(_ZN2ge22InferShapeFuncRegisterC1ERKSsRKSt8functionIFjRNS_8OperatorEEE)
REGISTRATION(_ZN2ge23OperatorCreatorRegisterC1EPKcRKSt8functionIFNS_8OperatorERKNS_12AscendStringEEE)
REGISTRATION(_ZN2ge23OperatorCreatorRegisterC1ERKSsRKSt8functionIFNS_8OperatorES2_EE)

// Sentences for codes, which MindSpore adds itself through inline functions.
extern "C" GE_API void* _ZN2ge13StatusFactory8InstanceEv();
void* _ZN2ge13StatusFactory8InstanceEv() {
    static auto* const sentences = new std::map<std::uint32_t, std::string>;
    return sentences;
}
