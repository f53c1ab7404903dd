/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Functions of libraries beside ACL (the runtime below it, the profiler, collective communication) that clients such
 * as torch_npu need to be there. Kernels for the chip, which a CPU cannot run, are refused (207000); nothing is profiled,
 * so that reports go nowhere.
 */
#ifndef ACLQUANT_INCLUDE_ACLQUANT_OTHER_LIBRARIES_H
#define ACLQUANT_INCLUDE_ACLQUANT_OTHER_LIBRARIES_H

#include <stddef.h>
#include <stdint.h>

#include "acl/acl_base.h"
#include "aclquant/host_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The runtime below ACL: kernels as binaries ---- */

typedef struct {
    uint32_t magic;
    uint32_t version;
    const void *data;
    uint64_t length;
} rtDevBinary_t;

ACLQUANT_API int32_t rtDevBinaryRegister(const rtDevBinary_t *bin, void **hdl);
ACLQUANT_API int32_t rtFunctionRegister(void *binHandle, const void *stubFunc, const char *stubName,
    const void *kernelInfoExt, uint32_t funcMode);
ACLQUANT_API int32_t rtKernelLaunch(const void *stubFunc, uint32_t numBlocks, void *args,
    uint32_t argsSize, void *smDesc, void *stm);
ACLQUANT_API int32_t rtDevBinaryUnRegister(void *hdl);
ACLQUANT_API int32_t rtLaunch(const void *stubFunc);
ACLQUANT_API int32_t rtGetC2cCtrlAddr(uint64_t *addr, uint32_t *len);

/* ---- The driver: memory of the host that the device sees ---- */

ACLQUANT_API int32_t halHostRegister(void *srcPtr, uint64_t size, uint32_t flag, uint32_t devid,
    void **dstPtr);
ACLQUANT_API int32_t halHostUnregister(void *srcPtr, uint32_t devid);

/* ---- The profiler ---- */

typedef struct MsprofApi MsprofApi;
typedef int32_t (*ProfCommandHandle)(uint32_t type, void *data, uint32_t len);

ACLQUANT_API int32_t MsprofRegisterCallback(uint32_t moduleId, ProfCommandHandle handle);
ACLQUANT_API int32_t MsprofReportApi(uint32_t nonPersistantFlag, const MsprofApi *api);
ACLQUANT_API int32_t MsprofReportCompactInfo(uint32_t nonPersistantFlag, const void *data,
    uint32_t length);
ACLQUANT_API int32_t MsprofReportAdditionalInfo(uint32_t nonPersistantFlag, const void *data,
    uint32_t length);
ACLQUANT_API uint64_t MsprofGetHashId(const char *hashInfo, size_t length);
ACLQUANT_API uint64_t MsprofSysCycleTime(void);

ACLQUANT_API aclError aclprofSetConfig(int32_t configType, const char *config, size_t configLength);

/* ---- Collective communication: one setting, determinism; communicators are refused ---- */

typedef enum {
    HCCL_DETERMINISTIC = 0
} HcclConfig;

typedef union {
    int32_t value;
} HcclConfigValue;

ACLQUANT_API int32_t HcclSetConfig(HcclConfig config, HcclConfigValue configValue);

typedef void *HcclComm;

ACLQUANT_API int32_t HcclGetRootInfo(void *rootInfo);
ACLQUANT_API int32_t HcclCommInitRootInfo(uint32_t nRanks, const void *rootInfo, uint32_t rank,
    HcclComm *comm);
ACLQUANT_API int32_t HcclGetCommName(HcclComm comm, char *commName);
ACLQUANT_API int32_t HcclCommDestroy(HcclComm comm);

#ifdef __cplusplus
}
#endif

#endif
