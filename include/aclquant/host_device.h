/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Controls of the host device: what CANN has no header for. Absent from a real CANN, so a program
 * looks these names up and treats their absence as "not the host device".
 *
 * Functions returning aclError answer 0, or an error code with a sentence for aclGetRecentErrMsg;
 * a null pointer is 100000. Every setting can also come from an environment variable, which is read
 * once, at the first use of the library; a setting made here replaces it.
 */
#ifndef ACLQUANT_INCLUDE_ACLQUANT_HOST_DEVICE_H
#define ACLQUANT_INCLUDE_ACLQUANT_HOST_DEVICE_H

#include <stdint.h>

#include "acl/acl_base.h"
#include "aclnn/acl_meta.h"

#if defined(__GNUC__)
#define ACLQUANT_API __attribute__((visibility("default")))
#else
#define ACLQUANT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Capabilities of a device. */
typedef enum aclquantCapability {
    ACLQUANT_CAPABILITY_HOST_MEMORY = 0 /* kernels may use lent host memory in place */
} aclquantCapability;

/* Live objects of the process, for finding leaks. */
typedef struct aclquantCounters {
    uint64_t tensors;
    uint64_t executors;
    uint64_t streams;
    uint64_t events;
    uint64_t contexts;
    uint64_t scalars;
    uint64_t arrays;
    uint64_t lists;
    uint64_t deviceBuffers; /* allocations of device memory */
    uint64_t hostBuffers;   /* allocations of page-locked host memory */
    uint64_t deviceBytes;   /* bytes of device memory */
    uint64_t queuedTasks;   /* tasks that have not run yet, over all streams */
} aclquantCounters;

/* A piece of host memory. */
typedef struct aclquantRange {
    const void *ptr;
    uint64_t size;
} aclquantRange;

/* Type and shape of one result of an operator. */
typedef struct aclquantOutput {
    aclDataType dtype;
    uint64_t rank;
    int64_t shape[8];
} aclquantOutput;

/* The version of the host device, a static string. */
ACLQUANT_API const char *aclquantVersion(void);

/* 1 if the device has the capability, 0 if not or if the number is unknown. */
ACLQUANT_API int32_t aclquantGetCapability(aclquantCapability capability);

/* Lend size bytes of host memory to kernels, and take them back, once the streams that use them have been
 * waited for. Any alignment; ranges may overlap and repeat, each lending is taken back on its own with the
 * same pointer and size. A kernel that
 * meets memory it does not know fails with 507015 at the next synchronise. */
ACLQUANT_API aclError aclquantHostRegister(const void *ptr, uint64_t size);
ACLQUANT_API aclError aclquantHostUnregister(const void *ptr, uint64_t size);

/* The same for several ranges at once: all of them, or none and an error. */
ACLQUANT_API aclError aclquantHostRegisterRanges(const aclquantRange *ranges, uint64_t count);
ACLQUANT_API aclError aclquantHostUnregisterRanges(const aclquantRange *ranges, uint64_t count);

/* The chip to behave as (ACLQUANT_HOST_SOC, Ascend910B1 by default), only while no context exists;
 * a name that is unknown or not supported is refused with 207000. */
ACLQUANT_API aclError aclquantSetSocName(const char *name);

/* The CANN version to report and to follow (ACLQUANT_HOST_VERSION, 9.1.0 by default). */
ACLQUANT_API aclError aclquantSetVersion(const char *version);

/* The number of devices (ACLQUANT_HOST_DEVICES, 1 by default). */
ACLQUANT_API aclError aclquantSetDeviceCount(uint32_t count);

/* Bytes of memory each device has (ACLQUANT_HOST_MEMORY_LIMIT). */
ACLQUANT_API aclError aclquantSetMemoryLimit(uint64_t bytes);

/* "guarded": memory allocated from now on is out of the CPU's reach, as on a card: touching it is SIGSEGV,
 * and a plain copy whose kind does not fit its addresses is refused. "strict": this, and programs are held to
 * the sizes they asked for: memory without the padding that a card adds (to a multiple of 32 bytes, and 32 more
 * with aclrtMalloc), and in phase 2 all the workspace that phase 1 asked for. "plain": none of it
 * (ACLQUANT_HOST_MEMORY, guarded by default). */
ACLQUANT_API aclError aclquantSetMemoryMode(const char *mode);

/* 1: device memory allocated from now on is full of 0xCD, and of 0xDD once it is freed; 0: left as it is
 * (ACLQUANT_HOST_POISON, 1 by default). */
ACLQUANT_API aclError aclquantSetPoison(int32_t poison);

/* 1: refuse what CANN's sources refuse on this chip and its documents allow (aclnnDynamicQuantV3 and V4,
 * scales of several rows in aclnnTransQuantParamV2 and V3); 0: compute it
 * (ACLQUANT_HOST_STRICT_SOC, 0 by default). It concerns phase 1: calls prepared before are not affected. */
ACLQUANT_API aclError aclquantSetStrictSoc(int32_t strict);

/* Bytes of workspace that phase 1 asks for (ACLQUANT_HOST_WORKSPACE, 1024 by default). */
ACLQUANT_API aclError aclquantSetWorkspaceSize(uint64_t bytes);

/* Threads that work on one large kernel, the calling one included (ACLQUANT_HOST_THREADS, by default
 * the processors the process may use). */
ACLQUANT_API aclError aclquantSetThreadCount(uint32_t count);
ACLQUANT_API uint32_t aclquantGetThreadCount(void);

/* Variants of the kernels by instruction set: those this processor can run (comma separated, the
 * definition, "scalar", first), the one in use, and choosing one by name (ACLQUANT_HOST_ISA; null or
 * "" for the best, the default). All give the same bits. */
ACLQUANT_API const char *aclquantListIsas(void);
ACLQUANT_API const char *aclquantGetIsa(void);
ACLQUANT_API aclError aclquantSetIsa(const char *name);

/* Hold the work queued on a stream until it is resumed, to make orders visible in tests. */
ACLQUANT_API aclError aclquantStallStream(aclrtStream stream);
ACLQUANT_API aclError aclquantResumeStream(aclrtStream stream);

/* Let each task of a stream wait this many microseconds (0: none, at most 60000000) before it runs, even those
 * that would run within the call: a program that does not synchronise is then sure to see it
 * (ACLQUANT_HOST_DELAY, for every stream made afterwards). */
ACLQUANT_API aclError aclquantDelayStream(aclrtStream stream, uint64_t microseconds);

/* The results that phase 1 of a quantisation operator demands ("aclnnQuantize", ...). tensors: those of
 * the operator in the order of its function, without the results; null for one that is left out, and
 * trailing ones may be missing. mode: quantMode of the dynamic operators, null for the default. dtype: the
 * type of the first result. outputCount: room in outputs, then the number of results (an optional offset
 * is counted). Transposition of matrices is in their strides. */
ACLQUANT_API aclError aclquantInferOutputs(const char *operation, const aclTensor *const *tensors, uint64_t tensorCount,
                                           const char *mode, aclDataType dtype, aclquantOutput *outputs,
                                           uint64_t *outputCount);

/* Write to stderr what is alive, one line each, as aclFinalize and the end of the process do with
 * ACLQUANT_HOST_REPORT=1. */
ACLQUANT_API aclError aclquantReport(void);

/* The present numbers of live objects. */
ACLQUANT_API aclError aclquantGetCounters(aclquantCounters *out);

#ifdef __cplusplus
}
#endif

#endif
