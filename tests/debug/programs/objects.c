/* SPDX-License-Identifier: Apache-2.0
 * Every kind of argument: lists, arrays, scalars, in place, strided views into one allocation. */
#include <stdio.h>
#include <stdlib.h>

#include "acl/acl.h"
#include "aclnnop/aclnn_add.h"
#include "aclnnop/aclnn_cat.h"
#include "aclnnop/aclnn_flip.h"

#define CHECK(call)                                                               \
    do {                                                                          \
        const int status_ = (int)(call);                                          \
        if (status_ != 0) {                                                       \
            fprintf(stderr, "%s: %d %s\n", #call, status_, aclGetRecentErrMsg()); \
            exit(1);                                                              \
        }                                                                         \
    } while (0)

static aclrtStream stream;

#define RUN(name, ...)                                                         \
    do {                                                                       \
        uint64_t size_ = 0;                                                    \
        aclOpExecutor* executor_ = NULL;                                       \
        void* workspace_ = NULL;                                               \
        CHECK(name##GetWorkspaceSize(__VA_ARGS__, &size_, &executor_));        \
        if (size_ > 0)                                                         \
            CHECK(aclrtMalloc(&workspace_, size_, ACL_MEM_MALLOC_HUGE_FIRST)); \
        CHECK(name(workspace_, size_, executor_, stream));                     \
        CHECK(aclrtSynchronizeStream(stream));                                 \
        if (workspace_ != NULL)                                                \
            CHECK(aclrtFree(workspace_));                                      \
    } while (0)

static aclTensor* view(void* data, int64_t rows, int64_t columns, int64_t step, int64_t offset) {
    const int64_t dims[] = {rows, columns}, strides[] = {step, 1}, storage[] = {64};
    return aclCreateTensor(dims, 2, ACL_FLOAT, strides, offset, ACL_FORMAT_ND, storage, 1, data);
}

int main(void) {
    float values[64];
    void *memory, *result;
    for (int i = 0; i < 64; ++i)
        values[i] = (float)i;
    CHECK(aclInit(NULL));
    CHECK(aclrtSetDevice(0));
    CHECK(aclrtCreateStream(&stream));
    CHECK(aclrtMalloc(&memory, sizeof values, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMalloc(&result, sizeof values, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMemcpy(memory, sizeof values, values, sizeof values, ACL_MEMCPY_HOST_TO_DEVICE));
    /* Two overlapping views of one allocation, the second also the result. */
    aclTensor *left = view(memory, 2, 3, 8, 1), *right = view(memory, 2, 3, 8, 4);
    float alpha = 0.5F;
    aclScalar* scale = aclCreateScalar(&alpha, ACL_FLOAT);
    RUN(aclnnInplaceAdd, right, left, scale);
    /* A list of tensors, and an array of numbers. */
    const aclTensor* both[] = {view(memory, 2, 3, 8, 1), view(memory, 2, 3, 8, 4)};
    aclTensorList* list = aclCreateTensorList(both, 2);
    aclTensor* joined = view(result, 4, 3, 3, 0);
    RUN(aclnnCat, list, 0, joined);
    const int64_t zero = 0;
    aclIntArray* axes = aclCreateIntArray(&zero, 1);
    aclTensor* flipped = view(result, 2, 3, 3, 20);
    RUN(aclnnFlip, left, axes, flipped);
    puts("well");
    return 0;
}
