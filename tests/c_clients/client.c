/* SPDX-License-Identifier: Apache-2.0
 * Each operator called from C as CANN's samples do it. Silent, status 0, when all is well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl/acl.h"
#include "aclnnop/aclnn_ascend_anti_quant.h"
#include "aclnnop/aclnn_ascend_quant.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclnnop/aclnn_dynamic_quant.h"
#include "aclnnop/aclnn_dynamic_quant_v2.h"
#include "aclnnop/aclnn_dynamic_quant_v3.h"
#include "aclnnop/aclnn_dynamic_quant_v4.h"
#include "aclnnop/aclnn_quantize.h"
#include "aclnnop/aclnn_trans_quant_param.h"
#include "aclnnop/aclnn_trans_quant_param_v2.h"
#include "aclnnop/aclnn_trans_quant_param_v3.h"
#include "cases.h"

#define CHECK(call)                                                                                        \
    do {                                                                                                   \
        const int status_ = (call);                                                                        \
        if (status_ != 0) {                                                                                \
            const char* text_ = aclGetRecentErrMsg();                                                      \
            fprintf(stderr, "line %d: %s: %d %s\n", __LINE__, #call, status_, text_ != NULL ? text_ : ""); \
            exit(1);                                                                                       \
        }                                                                                                  \
    } while (0)
#define REQUIRE(condition) CHECK((condition) ? 0 : -1)

/* A tensor and its device memory. */
typedef struct {
    void* memory;
    size_t bytes;
    aclTensor* tensor;
} Operand;

static aclrtStream stream;

static Operand make(const void* data, size_t bytes, aclDataType dtype, const int64_t* dims, uint64_t rank) {
    Operand made = {NULL, bytes, NULL};
    CHECK(aclrtMalloc(&made.memory, bytes, ACL_MEM_MALLOC_HUGE_FIRST));
    if (data != NULL) {
        CHECK(aclrtMemcpy(made.memory, bytes, data, bytes, ACL_MEMCPY_HOST_TO_DEVICE));
    } else {
        CHECK(aclrtMemset(made.memory, bytes, 0, bytes));
    }
    made.tensor = aclCreateTensor(dims, rank, dtype, NULL, 0, ACL_FORMAT_ND, dims, rank, made.memory);
    REQUIRE(made.tensor != NULL);
    return made;
}

static Operand vector(const void* data, size_t bytes, aclDataType dtype) {
    const int64_t length = (int64_t)(bytes / aclDataTypeSize(dtype));
    return make(data, bytes, dtype, &length, 1);
}

static void drop(Operand* operand) {
    CHECK(aclDestroyTensor(operand->tensor));
    CHECK(aclrtFree(operand->memory));
}

static void expect(const Operand* operand, const void* expected) {
    unsigned char* found = malloc(operand->bytes);
    REQUIRE(found != NULL);
    CHECK(aclrtMemcpy(found, operand->bytes, operand->memory, operand->bytes, ACL_MEMCPY_DEVICE_TO_HOST));
    REQUIRE(memcmp(found, expected, operand->bytes) == 0);
    free(found);
}

typedef aclnnStatus (*Phase2)(void*, uint64_t, aclOpExecutor*, aclrtStream);

static void finish(Phase2 phase2, uint64_t size, aclOpExecutor* executor) {
    void* workspace = NULL;
    if (size > 0) {
        CHECK(aclrtMalloc(&workspace, size, ACL_MEM_MALLOC_HUGE_FIRST));
    }
    CHECK(phase2(workspace, size, executor, stream));
    CHECK(aclrtSynchronizeStream(stream));
    if (workspace != NULL) {
        CHECK(aclrtFree(workspace));
    }
}

static void quantize(void) {
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    Operand x = vector(kQuantizeX, sizeof kQuantizeX, ACL_FLOAT);
    Operand scales = vector(kQuantizeScales, sizeof kQuantizeScales, ACL_FLOAT);
    Operand out = vector(NULL, sizeof kQuantizeOut, ACL_INT8);
    CHECK(aclnnQuantizeGetWorkspaceSize(x.tensor, scales.tensor, NULL, ACL_INT8, 0, out.tensor, &size, &executor));
    finish(aclnnQuantize, size, executor);
    expect(&out, kQuantizeOut);
    drop(&x);
    drop(&scales);
    drop(&out);
}

static void ascendQuant(void) {
    const int64_t dims[] = {4, 2};
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    Operand x = make(kAscendQuantX, sizeof kAscendQuantX, ACL_FLOAT, dims, 2);
    Operand scale = vector(kAscendQuantScale, sizeof kAscendQuantScale, ACL_FLOAT);
    Operand offset = vector(kAscendQuantOffset, sizeof kAscendQuantOffset, ACL_FLOAT);
    Operand y = make(NULL, sizeof kAscendQuantY, ACL_INT8, dims, 2);
    CHECK(aclnnAscendQuantGetWorkspaceSize(x.tensor, scale.tensor, offset.tensor, false, "round", ACL_INT8, y.tensor,
                                           &size, &executor));
    finish(aclnnAscendQuant, size, executor);
    expect(&y, kAscendQuantY);
    drop(&x);
    drop(&scale);
    drop(&offset);
    drop(&y);
}

static void ascendQuantV3(void) {
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    Operand x = vector(kAscendQuantV3X, sizeof kAscendQuantV3X, ACL_FLOAT);
    Operand scale = vector(kAscendQuantV3Scale, sizeof kAscendQuantV3Scale, ACL_FLOAT);
    Operand y = vector(NULL, sizeof kAscendQuantV3Y, ACL_INT8);
    CHECK(aclnnAscendQuantV3GetWorkspaceSize(x.tensor, scale.tensor, NULL, false, "round", ACL_INT8, -1, y.tensor,
                                             &size, &executor));
    finish(aclnnAscendQuantV3, size, executor);
    expect(&y, kAscendQuantV3Y);
    drop(&x);
    drop(&scale);
    drop(&y);
}

static void antiQuant(void) {
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    Operand x = vector(kAntiQuantX, sizeof kAntiQuantX, ACL_INT8);
    Operand scale = vector(kAntiQuantScale, sizeof kAntiQuantScale, ACL_FLOAT);
    Operand offset = vector(kAntiQuantOffset, sizeof kAntiQuantOffset, ACL_FLOAT);
    Operand y = vector(NULL, sizeof kAntiQuantY, ACL_FLOAT16);
    CHECK(aclnnAscendAntiQuantGetWorkspaceSize(x.tensor, scale.tensor, offset.tensor, ACL_FLOAT16, false, y.tensor,
                                               &size, &executor));
    finish(aclnnAscendAntiQuant, size, executor);
    expect(&y, kAntiQuantY);
    drop(&x);
    drop(&scale);
    drop(&offset);
    drop(&y);
}

static void transQuantParam(void) {
    uint64_t* words = NULL;
    uint64_t count = 0;
    CHECK(aclnnTransQuantParam(kParamScale, 5, NULL, 0, &words, &count));
    REQUIRE(count == 16 && memcmp(words, kParamHost, sizeof kParamHost) == 0);
    free(words);

    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    aclDataType dtype = ACL_DT_UNDEFINED;
    Operand scale = vector(kParamScale, sizeof kParamScale, ACL_FLOAT);
    for (int version = 2; version <= 3; ++version) {
        Operand out = vector(NULL, sizeof kParamDevice, ACL_INT64);
        if (version == 2) {
            CHECK(aclnnTransQuantParamV2GetWorkspaceSize(scale.tensor, NULL, out.tensor, &size, &executor));
        } else {
            CHECK(aclnnTransQuantParamV3GetWorkspaceSize(scale.tensor, NULL, 0, out.tensor, &size, &executor));
        }
        CHECK(aclGetDataType(out.tensor, &dtype));
        REQUIRE(dtype == ACL_UINT64); /* phase 1 says so, whatever was declared */
        finish(version == 2 ? aclnnTransQuantParamV2 : aclnnTransQuantParamV3, size, executor);
        expect(&out, kParamDevice);
        drop(&out);
    }
    drop(&scale);
}

static void dynamicQuant(void) {
    const int64_t dims[] = {1, 8};
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    Operand x = make(kDynamicX, sizeof kDynamicX, ACL_FLOAT16, dims, 2);
    for (int version = 1; version <= 4; ++version) {
        Operand y = make(NULL, sizeof kSymmetricY, ACL_INT8, dims, 2);
        Operand scale = vector(NULL, sizeof(float), ACL_FLOAT);
        Operand offset = vector(NULL, sizeof(float), ACL_FLOAT);
        switch (version) {
            case 1:
                CHECK(aclnnDynamicQuantGetWorkspaceSize(x.tensor, NULL, y.tensor, scale.tensor, &size, &executor));
                finish(aclnnDynamicQuant, size, executor);
                break;
            case 2:
                CHECK(aclnnDynamicQuantV2GetWorkspaceSize(x.tensor, NULL, NULL, ACL_INT8, y.tensor, scale.tensor,
                                                          offset.tensor, &size, &executor));
                finish(aclnnDynamicQuantV2, size, executor);
                break;
            case 3:
                CHECK(aclnnDynamicQuantV3GetWorkspaceSize(x.tensor, NULL, NULL, ACL_INT8, false, "pertoken", y.tensor,
                                                          scale.tensor, offset.tensor, &size, &executor));
                finish(aclnnDynamicQuantV3, size, executor);
                break;
            default:
                CHECK(aclnnDynamicQuantV4GetWorkspaceSize(x.tensor, NULL, NULL, ACL_INT8, false, "pertensor", 0.0F,
                                                          y.tensor, scale.tensor, offset.tensor, &size, &executor));
                finish(aclnnDynamicQuantV4, size, executor);
        }
        expect(&y, version == 1 ? kSymmetricY : kAsymmetricY);
        expect(&scale, version == 1 ? kSymmetricScale : kAsymmetricScale);
        if (version != 1) {
            expect(&offset, kAsymmetricOffset);
        }
        drop(&y);
        drop(&scale);
        drop(&offset);
    }
    drop(&x);
}

/* One executor, run again with other addresses. */
static void repeat(void) {
    static const float other[] = {0.5F, 100.0F, 7.25F};
    static const int8_t results[] = {1, 100, 7};
    uint64_t size = 0;
    aclOpExecutor* executor = NULL;
    void* workspace = NULL;
    Operand x = vector(kAscendQuantV3X, sizeof kAscendQuantV3X, ACL_FLOAT);
    Operand x2 = vector(other, sizeof other, ACL_FLOAT);
    Operand scale = vector(kAscendQuantV3Scale, sizeof kAscendQuantV3Scale, ACL_FLOAT);
    Operand y = vector(NULL, sizeof kAscendQuantV3Y, ACL_INT8);
    Operand y2 = vector(NULL, sizeof kAscendQuantV3Y, ACL_INT8);
    CHECK(aclnnAscendQuantV3GetWorkspaceSize(x.tensor, scale.tensor, NULL, false, "round", ACL_INT8, -1, y.tensor,
                                             &size, &executor));
    CHECK(aclSetAclOpExecutorRepeatable(executor));
    CHECK(aclrtMalloc(&workspace, size, ACL_MEM_MALLOC_NORMAL_ONLY));
    CHECK(aclnnAscendQuantV3(workspace, size, executor, stream));
    CHECK(aclSetInputTensorAddr(executor, 0, x.tensor, x2.memory));
    CHECK(aclSetOutputTensorAddr(executor, 0, y.tensor, y2.memory));
    CHECK(aclnnAscendQuantV3(workspace, size, executor, stream));
    CHECK(aclrtSynchronizeStream(stream));
    expect(&y, kAscendQuantV3Y);
    expect(&y2, results);
    CHECK(aclDestroyAclOpExecutor(executor));
    CHECK(aclrtFree(workspace));
    drop(&x);
    drop(&x2);
    drop(&scale);
    drop(&y);
    drop(&y2);
}

int main(void) {
    CHECK(aclInit(NULL));
    CHECK(aclrtSetDevice(0));
    CHECK(aclrtCreateStream(&stream));
    quantize();
    ascendQuant();
    ascendQuantV3();
    antiQuant();
    transQuantParam();
    dynamicQuant();
    repeat();
    CHECK(aclrtDestroyStream(stream));
    CHECK(aclrtResetDevice(0));
    CHECK(aclFinalize());
    return 0;
}
