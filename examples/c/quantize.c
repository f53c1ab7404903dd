/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One aclnnAscendQuantV3 from C: y = saturate(round(x * scale)), int8. The same source runs on a card (CANN's headers
 * and libraries) and on any Linux machine (aclquant's); see the Makefile.
 */
#include <acl/acl.h>
#include <aclnnop/aclnn_ascend_quant_v3.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int status, const char* what) {
    if (status != 0) {
        const char* reason = aclGetRecentErrMsg();
        fprintf(stderr, "%s failed with %d\n%s\n", what, status, reason != NULL ? reason : "");
        exit(1);
    }
}

#define CHECK(call) check((call), #call)

int main(void) {
    enum { COUNT = 8 };
    const float x[COUNT] = {0.25F, 0.75F, 1.25F, -0.25F, -0.75F, -1.25F, 300.0F, -300.0F};
    const float scale[1] = {2.0F};
    int8_t y[COUNT];

    check(aclInit(NULL), "aclInit");
    CHECK(aclrtSetDevice(0));
    aclCANNPackageVersion package;
    CHECK(aclsysGetCANNVersion(ACL_PKG_NAME_CANN, &package));
    printf("%s, CANN %s\n", aclrtGetSocName(), package.version);
    aclrtStream stream = NULL;
    CHECK(aclrtCreateStream(&stream));

    void* device_x = NULL;
    void* device_scale = NULL;
    void* device_y = NULL;
    CHECK(aclrtMalloc(&device_x, sizeof x, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMalloc(&device_scale, sizeof scale, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMalloc(&device_y, sizeof y, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMemcpy(device_x, sizeof x, x, sizeof x, ACL_MEMCPY_HOST_TO_DEVICE));
    CHECK(aclrtMemcpy(device_scale, sizeof scale, scale, sizeof scale, ACL_MEMCPY_HOST_TO_DEVICE));

    const int64_t shape[1] = {COUNT};
    const int64_t one[1] = {1};
    aclTensor* tensor_x = aclCreateTensor(shape, 1, ACL_FLOAT, NULL, 0, ACL_FORMAT_ND, shape, 1, device_x);
    aclTensor* tensor_scale = aclCreateTensor(one, 1, ACL_FLOAT, NULL, 0, ACL_FORMAT_ND, one, 1, device_scale);
    aclTensor* tensor_y = aclCreateTensor(shape, 1, ACL_INT8, NULL, 0, ACL_FORMAT_ND, shape, 1, device_y);

    /* Phase 1 checks the arguments and says how much scratch memory phase 2 needs. */
    uint64_t workspace_size = 0;
    aclOpExecutor* executor = NULL;
    CHECK(aclnnAscendQuantV3GetWorkspaceSize(tensor_x, tensor_scale, NULL, false, "round", ACL_INT8, -1, tensor_y,
                                             &workspace_size, &executor));
    void* workspace = NULL;
    if (workspace_size > 0) {
        CHECK(aclrtMalloc(&workspace, workspace_size, ACL_MEM_MALLOC_HUGE_FIRST));
    }

    /* Phase 2 puts the work on the stream and uses up the executor. */
    CHECK(aclnnAscendQuantV3(workspace, workspace_size, executor, stream));
    CHECK(aclrtSynchronizeStream(stream));
    CHECK(aclrtMemcpy(y, sizeof y, device_y, sizeof y, ACL_MEMCPY_DEVICE_TO_HOST));

    printf("y =");
    for (int i = 0; i < COUNT; ++i) {
        printf(" %d", y[i]);
    }
    printf("\n");

    CHECK(aclDestroyTensor(tensor_x));
    CHECK(aclDestroyTensor(tensor_scale));
    CHECK(aclDestroyTensor(tensor_y));
    CHECK(aclrtFree(device_x));
    CHECK(aclrtFree(device_scale));
    CHECK(aclrtFree(device_y));
    if (workspace != NULL) {
        CHECK(aclrtFree(workspace));
    }
    CHECK(aclrtDestroyStream(stream));
    CHECK(aclrtResetDevice(0));
    CHECK(aclFinalize());
    return 0;
}
