/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A prepared launch: a repeatable executor with the functions and objects it needs, run with one call
 * and other addresses each time. It works on any library that has these functions, real CANN included:
 * it calls only what the record holds.
 */
#ifndef ACLQUANT_INCLUDE_ACLQUANT_LAUNCH_H
#define ACLQUANT_INCLUDE_ACLQUANT_LAUNCH_H

#include <stdint.h>

#include "acl/acl_rt.h"
#include "aclnn/acl_meta.h"
#include "aclquant/host_device.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef aclnnStatus (*aclquantSetAddress)(aclOpExecutor *executor, const size_t index, aclTensor *tensor, void *addr);
typedef aclnnStatus (*aclquantPhaseTwo)(void *workspace, uint64_t workspaceSize, aclOpExecutor *executor, aclrtStream stream);
typedef aclError (*aclquantWait)(aclrtStream stream);
typedef aclError (*aclquantLend)(const aclquantRange *ranges, uint64_t count);

/* A tensor of the record. */
typedef struct aclquantLaunchTensor {
    aclTensor *tensor;
    uint64_t size;      /* bytes from its address on */
    uint64_t alignment; /* of its address */
    int32_t output;     /* 1: written */
    void *address;      /* null at first; the function's own: what the executor has */
} aclquantLaunchTensor;

typedef struct aclquantLaunch {
    aclquantSetAddress setAddress; /* aclSetTensorAddr */
    aclquantPhaseTwo phaseTwo;
    aclquantWait wait;             /* null: return without waiting for the stream */
    aclquantLend lend;             /* null: the addresses are the device's own */
    aclquantLend takeBack;
    aclOpExecutor *executor;
    void *workspace;
    uint64_t workspaceSize;
    aclrtStream stream;
    uint64_t count;
    aclquantLaunchTensor tensors[8];
    int32_t busy;                  /* 0 at first; the function's own: threads take turns */
} aclquantLaunch;

/* What aclquantRunLaunch answers when nothing was launched, because these addresses do not suit. */
#define ACLQUANT_LAUNCH_UNALIGNED (-1)
#define ACLQUANT_LAUNCH_OVERLAP (-2)
/* The same, after aclquantEndLaunch. */
#define ACLQUANT_LAUNCH_ENDED (-3)

/* Sets the addresses of the record's tensors that are new, in order (those behind count are not looked at), runs
 * phase 2, and waits if the record says so. Answers 0, the first failing function's status, or one of
 * the two above. Threads may share a record: one runs at a time. */
ACLQUANT_API int32_t aclquantRunLaunch(aclquantLaunch *launch, void *a0, void *a1, void *a2, void *a3, void *a4, void *a5, void *a6, void *a7);

/* Waits for a run in another thread and lets no later one begin; what the record points to may then be
 * destroyed. */
ACLQUANT_API aclError aclquantEndLaunch(aclquantLaunch *launch);

#ifdef __cplusplus
}
#endif

#endif
