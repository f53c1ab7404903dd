/* SPDX-License-Identifier: Apache-2.0
 * The libraries opened by name: one state behind all of them. argv[1] is their directory. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "acl/acl.h"
#include "aclnn/acl_meta.h"

#define REQUIRE(condition)                                          \
    do {                                                            \
        if (!(condition)) {                                         \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            return 1;                                               \
        }                                                           \
    } while (0)

static const char* const kNames[] = {
    "libascendcl.so", "libacl_rt.so",     "libnnopbase.so",        "libopapi.so",
    "libopapi_nn.so", "libopapi_math.so", "libacl_op_compiler.so", "libhccl.so",
    "libgraph.so",    "libge_runner.so",  "libacl_tdt_channel.so", "libaclquant_host.so"};
enum { kCount = sizeof kNames / sizeof kNames[0] };

static const char* const kSymbols[] = {"aclInit",
                                       "aclrtSetDevice",
                                       "aclrtGetDevice",
                                       "aclCreateTensor",
                                       "aclnnQuantizeGetWorkspaceSize",
                                       "aclnnDynamicQuantV4",
                                       "aclquantGetCounters"};

/* dlsym gives an object pointer, which ISO C does not convert to a function pointer. */
static void find(void* handle, const char* name, void* function) {
    void* const symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
}

int main(int argc, char** argv) {
    void* handles[kCount];
    REQUIRE(argc == 2);
    for (int index = 0; index < kCount; ++index) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], kNames[index]);
        handles[index] = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (handles[index] == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
    }
    /* A symbol is the same function through each handle. */
    for (unsigned symbol = 0; symbol < sizeof kSymbols / sizeof kSymbols[0]; ++symbol) {
        for (int index = 0; index < kCount; ++index) {
            REQUIRE(dlsym(handles[index], kSymbols[symbol]) != NULL);
            REQUIRE(dlsym(handles[index], kSymbols[symbol]) == dlsym(handles[0], kSymbols[symbol]));
        }
    }
    REQUIRE(dlsym(handles[3], "CanUsePTACache") == NULL);

    /* The device set through one library, used through the others. */
    aclError (*setDevice)(int32_t);
    aclError (*getDevice)(int32_t*);
    aclError (*allocate)(void**, size_t, aclrtMemMallocPolicy);
    aclError (*release)(void*);
    aclTensor* (*createTensor)(const int64_t*, uint64_t, aclDataType, const int64_t*, int64_t, aclFormat,
                               const int64_t*, uint64_t, void*);
    aclnnStatus (*destroyTensor)(const aclTensor*);
    int32_t device = -1;
    void* memory = NULL;
    const int64_t dims[] = {4};
    find(handles[0], "aclrtSetDevice", &setDevice);
    find(handles[3], "aclrtGetDevice", &getDevice);
    find(handles[4], "aclrtMalloc", &allocate);
    find(handles[1], "aclrtFree", &release);
    find(handles[2], "aclCreateTensor", &createTensor);
    find(handles[5], "aclDestroyTensor", &destroyTensor);
    REQUIRE(getDevice(&device) == ACL_ERROR_RT_CONTEXT_NULL);
    REQUIRE(setDevice(0) == 0);
    REQUIRE(getDevice(&device) == 0 && device == 0);
    REQUIRE(allocate(&memory, 16, ACL_MEM_MALLOC_HUGE_FIRST) == 0);
    aclTensor* tensor = createTensor(dims, 1, ACL_FLOAT, NULL, 0, ACL_FORMAT_ND, dims, 1, memory);
    REQUIRE(tensor != NULL);
    REQUIRE(destroyTensor(tensor) == 0);
    REQUIRE(destroyTensor(tensor) != 0);
    REQUIRE(release(memory) == 0);
    REQUIRE(release(memory) != 0);
    return 0;
}
