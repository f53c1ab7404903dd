/* SPDX-License-Identifier: Apache-2.0
 * Mistakes that a card punishes late or not at all, one per name on the command line. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl/acl.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclquant/host_device.h"

#define CHECK(call)                                                 \
    do {                                                            \
        const int status_ = (call);                                 \
        if (status_ != 0) {                                         \
            const char* text_ = aclGetRecentErrMsg();               \
            printf("%d %s\n", status_, text_ != NULL ? text_ : ""); \
            exit(1);                                                \
        }                                                           \
    } while (0)

enum { kCount = 4 };

static void* allocate(const void* data, size_t bytes) {
    void* memory = NULL;
    CHECK(aclrtMalloc(&memory, bytes, ACL_MEM_MALLOC_HUGE_FIRST));
    if (data != NULL) {
        CHECK(aclrtMemcpy(memory, bytes, data, bytes, ACL_MEMCPY_HOST_TO_DEVICE));
    }
    return memory;
}

static void handler(int number) {
    (void)number;
    fputs("the program's own handler\n", stderr);
    _Exit(3);
}

int main(int argc, char** argv) {
    const char* mistake = argc > 1 ? argv[1] : "";
    const float values[kCount] = {1.0F, -2.5F, 3.5F, 200.0F};
    const float one = 1.0F;
    const signed char expected[kCount] = {1, -2, 4, 127};
    const int64_t dims[] = {kCount};
    const int64_t single[] = {1};
    signed char found[kCount];
    aclrtStream stream;

    if (strcmp(mistake, "own handler") == 0) {
        signal(SIGSEGV, handler);
    }
    CHECK(aclInit(NULL));
    CHECK(aclrtSetDevice(0));
    CHECK(aclrtCreateStream(&stream));
    void* x = allocate(values, sizeof values);
    void* scale = allocate(&one, sizeof one);
    void* y = allocate(NULL, kCount);
    aclTensor* tensors[3] = {
        aclCreateTensor(dims, 1, ACL_FLOAT, NULL, 0, ACL_FORMAT_ND, dims, 1, x),
        aclCreateTensor(single, 1, ACL_FLOAT, NULL, 0, ACL_FORMAT_ND, single, 1, scale),
        aclCreateTensor(dims, 1, ACL_INT8, NULL, 0, ACL_FORMAT_ND, dims, 1, y),
    };
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    CHECK(aclnnAscendQuantV3GetWorkspaceSize(tensors[0], tensors[1], NULL, false, "round", ACL_INT8, -1, tensors[2],
                                             &size, &executor));
    void* workspace = size > 0 ? allocate(NULL, size) : NULL;
    if (strcmp(mistake, "free workspace early") == 0) {
        CHECK(aclquantDelayStream(stream, 60000000));
    }
    CHECK(aclnnAscendQuantV3(workspace, size, executor, stream));
    if (strcmp(mistake, "free workspace early") == 0) {
        CHECK(aclrtFree(workspace));
        CHECK(aclquantDelayStream(stream, 0));
    }
    CHECK(aclrtSynchronizeStream(stream));
    CHECK(aclrtMemcpy(found, sizeof found, y, kCount, ACL_MEMCPY_DEVICE_TO_HOST));
    if (memcmp(found, expected, kCount) != 0) {
        puts("wrong result");
        return 1;
    }

    volatile float* touched = x;
    if (strcmp(mistake, "read") == 0 || strcmp(mistake, "own handler") == 0) {
        printf("%f\n", touched[1]);
    } else if (strcmp(mistake, "write") == 0) {
        touched[2] = 1.0F;
    } else if (strcmp(mistake, "read freed") == 0) {
        CHECK(aclrtFree(x));
        printf("%f\n", touched[0]);
    } else if (strcmp(mistake, "null") == 0) {
        touched = NULL;
        printf("%f\n", touched[0]);
    } else if (strcmp(mistake, "raise") == 0) {
        raise(SIGSEGV);
    } else if (strcmp(mistake, "copy from freed") == 0) {
        CHECK(aclrtFree(x));
        CHECK(aclrtMemcpy(y, kCount, x, kCount, ACL_MEMCPY_DEVICE_TO_DEVICE));
    } else if (strcmp(mistake, "wrong kind") == 0) {
        CHECK(aclrtMemcpy(found, kCount, y, kCount, ACL_MEMCPY_HOST_TO_DEVICE));
    } else if (strcmp(mistake, "leave everything") == 0) {
        aclrtEvent event;
        CHECK(aclrtCreateEvent(&event));
        CHECK(aclnnAscendQuantV3GetWorkspaceSize(tensors[0], tensors[1], NULL, false, "round", ACL_INT8, -1, tensors[2],
                                                 &size, &executor));
        CHECK(aclFinalize());
        return 0;
    } else if (strcmp(mistake, "end without aclFinalize") == 0) {
        return 0;
    }

    for (int index = 0; index < 3; ++index) {
        CHECK(aclDestroyTensor(tensors[index]));
    }
    CHECK(aclrtFree(x));
    CHECK(aclrtFree(scale));
    CHECK(aclrtFree(y));
    if (workspace != NULL) {
        CHECK(aclrtFree(workspace));
    }
    CHECK(aclrtDestroyStream(stream));
    CHECK(aclrtResetDevice(0));
    CHECK(aclFinalize());
    return 0;
}
