/* SPDX-License-Identifier: Apache-2.0
 * Scales of a type that the operator does not take, and a program that prints the bare code. */
#include <stdio.h>

#include "acl/acl.h"
#include "aclnnop/aclnn_quantize.h"

int main(void) {
    void* memory;
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    const int64_t shape[] = {2, 8}, one[] = {8};
    if (aclInit(NULL) != 0 || aclrtSetDevice(0) != 0)
        return 2;
    if (aclrtMalloc(&memory, 256, ACL_MEM_MALLOC_HUGE_FIRST) != 0)
        return 2;
    aclTensor* x = aclCreateTensor(shape, 2, ACL_FLOAT, NULL, 0, ACL_FORMAT_ND, shape, 2, memory);
    aclTensor* scales = aclCreateTensor(one, 1, ACL_INT32, NULL, 0, ACL_FORMAT_ND, one, 1, memory);
    aclTensor* out = aclCreateTensor(shape, 2, ACL_INT8, NULL, 0, ACL_FORMAT_ND, shape, 2, memory);
    const int status = (int)aclnnQuantizeGetWorkspaceSize(x, scales, NULL, ACL_INT8, 1, out, &size, &executor);
    printf("status %d\n", status);
    const char* text = aclGetRecentErrMsg();
    printf("text %s\n", text != NULL ? text : "none");
    aclDestroyTensor(x);
    aclDestroyTensor(scales);
    aclDestroyTensor(out);
    aclrtFree(memory);
    aclrtResetDevice(0);
    aclFinalize();
    return status == 0 ? 0 : 1;
}
