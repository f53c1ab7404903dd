// SPDX-License-Identifier: Apache-2.0
// Which function is behind a wrapper, and the dlsym of preloaded programs, which hands out wrappers.
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "aclquant/trace.h"
#include "call.h"

namespace aclq::trace {
namespace {

using Dlsym = void* (*)(void*, const char*);

Dlsym systemDlsym() {
    static const Dlsym found = [] {
        void* address = nullptr;
        for (const char* version : {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"}) {
            address = dlvsym(RTLD_NEXT, "dlsym", version);
            if (address != nullptr) {
                break;
            }
        }
        return reinterpret_cast<Dlsym>(address);
    }();
    return found;
}

void* baseOf(void* address) {
    Dl_info info{};
    return dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

bool isOurs(void* address) {
    static void* const ours = baseOf(reinterpret_cast<void*>(&systemDlsym));
    return baseOf(address) == ours;
}

// Whatever the process has loaded, in the order of loading: libraries opened privately too.
void* searchLoaded(const char* name) {
    std::vector<std::string> paths;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
            if (info->dlpi_name != nullptr && info->dlpi_name[0] == '/') {
                static_cast<std::vector<std::string>*>(data)->emplace_back(info->dlpi_name);
            }
            return 0;
        },
        &paths);
    for (const std::string& path : paths) {
        void* const handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
        if (handle == nullptr) {
            continue;
        }
        void* const address = systemDlsym()(handle, name);
        dlclose(handle);
        if (address != nullptr && !isOurs(address)) {
            return address;
        }
    }
    return nullptr;
}

// What a library sees beside the global scope: itself and what it was linked with.
void* searchFrom(void* caller, const char* name) {
    Dl_info info{};
    void* const handle = dladdr(caller, &info) != 0 ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : nullptr;
    if (handle == nullptr) {
        return nullptr;
    }
    void* const address = systemDlsym()(handle, name);
    dlclose(handle);
    return address != nullptr && !isOurs(address) ? address : nullptr;
}

}  // namespace

void* realOrNull(Function& function) {
    void* known = function.real.load(std::memory_order_acquire);
    if (known != nullptr) {
        return known;
    }
    void* address = systemDlsym()(RTLD_NEXT, function.name);
    if (address == nullptr || isOurs(address)) {
        address = searchLoaded(function.name);
    }
    if (address != nullptr && !function.real.compare_exchange_strong(known, address)) {
        return known;  // another thread found it, or dlsym said which one is meant
    }
    return address;
}

void* target(Function& function) {
    void* const address = realOrNull(function);
    if (address == nullptr) {
        std::fprintf(stderr, "aclquant trace: undefined symbol: %s: no loaded library has it\n", function.name);
        std::_Exit(127);
    }
    return address;
}

}  // namespace aclq::trace

using namespace aclq::trace;  // NOLINT

extern "C" void* aclquantTraceWrap(const char* name, void* address) {
    Function* const function = name == nullptr || address == nullptr ? nullptr : findFunction(name);
    if (function == nullptr) {
        return address;
    }
    if (isOurs(address)) {
        return address;
    }
    void* known = nullptr;
    if (function->real.compare_exchange_strong(known, address) || known == address) {
        return wrapperOf(*function);
    }
    return address;
}

// Programs that look names up get wrappers too. Inside a traced call it is CANN that looks, for itself.
extern "C" __attribute__((visibility("default"))) void* dlsym(void* handle, const char* name) noexcept {
    if (depth != 0 || handle == RTLD_NEXT || findFunction(name) == nullptr) {
        return systemDlsym()(handle, name);  // in tail position: RTLD_NEXT depends on who returns where
    }
    if (handle == RTLD_DEFAULT) {  // where we come first: is there a function behind us?
        void* next = systemDlsym()(RTLD_NEXT, name);
        next = next != nullptr ? next : searchFrom(__builtin_return_address(0), name);
        return next != nullptr ? aclquantTraceWrap(name, next) : nullptr;
    }
    void* const address = systemDlsym()(handle, name);
    if (address != nullptr && isOurs(address)) {  // the handle of the program itself
        Function& function = *findFunction(name);
        return realOrNull(function) != nullptr ? wrapperOf(function) : nullptr;
    }
    return aclquantTraceWrap(name, address);
}
