/* SPDX-License-Identifier: Apache-2.0
 * A tensor that reaches beyond its memory: 16 bytes are allocated for 4096 floats. */
#include <stdio.h>
#include <stdlib.h>

#include "acl/acl.h"
#include "aclnnop/aclnn_quantize.h"

#define CHECK(call)                                      \
    do {                                                 \
        const int status_ = (int)(call);                 \
        if (status_ != 0) {                              \
            fprintf(stderr, "%s: %d\n", #call, status_); \
            exit(1);                                     \
        }                                                \
    } while (0)

static aclTensor* tensor(void* data, int64_t count, aclDataType type) {
    return aclCreateTensor(&count, 1, type, NULL, 0, ACL_FORMAT_ND, &count, 1, data);
}

int main(void) {
    void *x, *scale, *out, *workspace = NULL;
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    aclrtStream stream;
    const float one = 1.0F;
    CHECK(aclInit(NULL));
    CHECK(aclrtSetDevice(0));
    CHECK(aclrtCreateStream(&stream));
    CHECK(aclrtMalloc(&x, 16, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMalloc(&scale, 4, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMalloc(&out, 16, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMemcpy(scale, 4, &one, 4, ACL_MEMCPY_HOST_TO_DEVICE));
    aclTensor *tx = tensor(x, 4096, ACL_FLOAT), *ts = tensor(scale, 1, ACL_FLOAT), *ty = tensor(out, 4096, ACL_INT8);
    CHECK(aclnnQuantizeGetWorkspaceSize(tx, ts, NULL, ACL_INT8, 0, ty, &size, &executor));
    if (size > 0)
        CHECK(aclrtMalloc(&workspace, size, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclnnQuantize(workspace, size, executor, stream));
    CHECK(aclrtSynchronizeStream(stream));
    puts("done");
    return 0;
}
