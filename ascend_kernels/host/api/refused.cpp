// SPDX-License-Identifier: Apache-2.0
// Functions without which clients cannot be loaded, and which a CPU cannot perform. Each refuses with a reason.
#include <cstddef>

#include "acl/acl_mdl.h"
#include "acl/acl_op_compiler.h"
#include "acl/acl_rt.h"
#include "acl/acl_tdt.h"
#include "aclquant/other_libraries.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

int refuse(const char* function, const char* what) {
    return api(function, ACL_ERROR_BAD_ALLOC, ACL_ERROR_INTERNAL_ERROR,
               [&] { return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, text("the host device has no %s", what)); });
}

// Return values of functions without a status.
struct Nothing {
    template <class T>
    operator T*() const {
        return nullptr;
    }
    operator std::size_t() const { return 0; }
    operator aclDataType() const { return ACL_DT_UNDEFINED; }
};

Nothing refuseWithNothing(const char* function, const char* what) {
    refuse(function, what);
    return {};
}

constexpr const char* kVirtual =
    "virtual memory management (torch_npu asks for it when PYTORCH_NPU_ALLOC_CONF has expandable_segments:True)";
constexpr const char* kShared = "memory that is shared between processes";
constexpr const char* kChannels = "channels that carry tensors out of a running graph";
constexpr const char* kDumps = "dump of the arguments of operators";
constexpr const char* kModels = "way to run models and operators that were compiled offline for a chip (.om)";
constexpr const char* kDriver = "driver; aclrtHostRegister does the same";
constexpr const char* kCommunication = "other devices to communicate with (HCCL)";
constexpr const char* kBinaries = "cores that run compiled kernels of the chip";

}  // namespace

aclError aclrtReserveMemAddress(void**, size_t, size_t, void*, uint64_t) {
    return refuse(__func__, kVirtual);
}
aclError aclrtReleaseMemAddress(void*) {
    return refuse(__func__, kVirtual);
}
aclError aclrtMemGetAllocationGranularity(aclrtPhysicalMemProp*, aclrtMemGranularityOptions, size_t*) {
    return refuse(__func__, kVirtual);
}
aclError aclrtMallocPhysical(aclrtDrvMemHandle*, size_t, const aclrtPhysicalMemProp*, uint64_t) {
    return refuse(__func__, kVirtual);
}
aclError aclrtFreePhysical(aclrtDrvMemHandle) {
    return refuse(__func__, kVirtual);
}
aclError aclrtMapMem(void*, size_t, size_t, aclrtDrvMemHandle, uint64_t) {
    return refuse(__func__, kVirtual);
}
aclError aclrtUnmapMem(void*) {
    return refuse(__func__, kVirtual);
}

aclError aclrtMemExportToShareableHandle(aclrtDrvMemHandle, aclrtMemHandleType, uint64_t, uint64_t*) {
    return refuse(__func__, kShared);
}
aclError aclrtMemImportFromShareableHandle(uint64_t, int32_t, aclrtDrvMemHandle*) {
    return refuse(__func__, kShared);
}
aclError aclrtMemSetPidToShareableHandle(uint64_t, int32_t*, size_t) {
    return refuse(__func__, kShared);
}
aclError aclrtDeviceGetBareTgid(int32_t*) {
    return refuse(__func__, kShared);
}

aclrtBinary aclrtCreateBinary(const void*, size_t) {
    return refuseWithNothing(__func__, kBinaries);
}
aclError aclrtDestroyBinary(aclrtBinary) {
    return refuse(__func__, kBinaries);
}
aclError aclrtBinaryLoad(const aclrtBinary, aclrtBinHandle*) {
    return refuse(__func__, kBinaries);
}
aclError aclrtBinaryLoadFromFile(const char*, aclrtBinaryLoadOptions*, aclrtBinHandle*) {
    return refuse(__func__, kBinaries);
}
aclError aclrtBinaryUnLoad(aclrtBinHandle) {
    return refuse(__func__, kBinaries);
}
aclError aclrtKernelArgsInit(aclrtFuncHandle, aclrtArgsHandle*) {
    return refuse(__func__, kBinaries);
}
aclError aclrtKernelArgsAppend(aclrtArgsHandle, void*, size_t, aclrtParamHandle*) {
    return refuse(__func__, kBinaries);
}
aclError aclrtKernelArgsFinalize(aclrtArgsHandle) {
    return refuse(__func__, kBinaries);
}
aclError aclrtLaunchKernelWithConfig(aclrtFuncHandle, uint32_t, aclrtStream, aclrtLaunchKernelCfg*, aclrtArgsHandle,
                                     void*) {
    return refuse(__func__, kBinaries);
}
aclError aclrtBinaryLoadFromData(const void*, size_t, const aclrtBinaryLoadOptions*, aclrtBinHandle*) {
    return refuse(__func__, kBinaries);
}
aclError aclrtBinaryGetFunction(const aclrtBinHandle, const char*, aclrtFuncHandle*) {
    return refuse(__func__, kBinaries);
}
aclError aclrtGetFunctionAddr(aclrtFuncHandle, void**, void**) {
    return refuse(__func__, kBinaries);
}
int32_t rtDevBinaryUnRegister(void*) {
    return refuse(__func__, kBinaries);
}
int32_t rtLaunch(const void*) {
    return refuse(__func__, kBinaries);
}
int32_t halHostRegister(void*, uint64_t, uint32_t, uint32_t, void**) {
    return refuse(__func__, kDriver);
}
int32_t halHostUnregister(void*, uint32_t) {
    return refuse(__func__, kDriver);
}
int32_t HcclGetRootInfo(void*) {
    return refuse(__func__, kCommunication);
}
int32_t HcclCommInitRootInfo(uint32_t, const void*, uint32_t, HcclComm*) {
    return refuse(__func__, kCommunication);
}
int32_t HcclGetCommName(HcclComm, char*) {
    return refuse(__func__, kCommunication);
}
int32_t HcclCommDestroy(HcclComm) {
    return refuse(__func__, kCommunication);
}
aclError aclprofSetConfig(int32_t, const char*, size_t) {
    return refuse(__func__, "profiler");
}
int32_t rtDevBinaryRegister(const rtDevBinary_t*, void**) {
    return refuse(__func__, kBinaries);
}
int32_t rtFunctionRegister(void*, const void*, const char*, const void*, uint32_t) {
    return refuse(__func__, kBinaries);
}
int32_t rtKernelLaunch(const void*, uint32_t, void*, uint32_t, void*, void*) {
    return refuse(__func__, kBinaries);
}
int32_t rtGetC2cCtrlAddr(uint64_t*, uint32_t*) {
    return refuse(__func__, "synchronisation between cores");
}

aclError aclopSetModelDir(const char*) {
    return refuse(__func__, kModels);
}
aclError aclmdlLoadFromFile(const char*, uint32_t*) {
    return refuse(__func__, kModels);
}
aclError aclmdlLoadFromMem(const void*, size_t, uint32_t*) {
    return refuse(__func__, kModels);
}
aclError aclmdlUnload(uint32_t) {
    return refuse(__func__, kModels);
}
aclError aclmdlExecute(uint32_t, const aclmdlDataset*, aclmdlDataset*) {
    return refuse(__func__, kModels);
}
aclError aclmdlExecuteAsync(uint32_t, const aclmdlDataset*, aclmdlDataset*, aclrtStream) {
    return refuse(__func__, kModels);
}
aclmdlDesc* aclmdlCreateDesc() {
    return refuseWithNothing(__func__, kModels);
}
aclError aclmdlDestroyDesc(aclmdlDesc*) {
    return refuse(__func__, kModels);
}
aclError aclmdlGetDesc(aclmdlDesc*, uint32_t) {
    return refuse(__func__, kModels);
}
size_t aclmdlGetNumInputs(aclmdlDesc*) {
    return refuseWithNothing(__func__, kModels);
}
size_t aclmdlGetNumOutputs(aclmdlDesc*) {
    return refuseWithNothing(__func__, kModels);
}
size_t aclmdlGetInputSizeByIndex(aclmdlDesc*, size_t) {
    return refuseWithNothing(__func__, kModels);
}
size_t aclmdlGetOutputSizeByIndex(aclmdlDesc*, size_t) {
    return refuseWithNothing(__func__, kModels);
}
aclError aclmdlGetOutputDims(const aclmdlDesc*, size_t, aclmdlIODims*) {
    return refuse(__func__, kModels);
}
aclmdlDataset* aclmdlCreateDataset() {
    return refuseWithNothing(__func__, kModels);
}
aclError aclmdlDestroyDataset(const aclmdlDataset*) {
    return refuse(__func__, kModels);
}
aclError aclmdlAddDatasetBuffer(aclmdlDataset*, aclDataBuffer*) {
    return refuse(__func__, kModels);
}
aclDataBuffer* aclmdlGetDatasetBuffer(const aclmdlDataset*, size_t) {
    return refuseWithNothing(__func__, kModels);
}
aclTensorDesc* aclmdlGetDatasetTensorDesc(const aclmdlDataset*, size_t) {
    return refuseWithNothing(__func__, kModels);
}

aclError aclopStartDumpArgs(uint32_t, const char*) {
    return refuse(__func__, kDumps);
}
aclError aclopStopDumpArgs(uint32_t) {
    return refuse(__func__, kDumps);
}

acltdtChannelHandle* acltdtCreateChannelWithCapacity(uint32_t, const char*, size_t) {
    return refuseWithNothing(__func__, kChannels);
}
aclError acltdtDestroyChannel(acltdtChannelHandle*) {
    return refuse(__func__, kChannels);
}
aclError acltdtReceiveTensor(const acltdtChannelHandle*, acltdtDataset*, int32_t) {
    return refuse(__func__, kChannels);
}
acltdtDataset* acltdtCreateDataset() {
    return refuseWithNothing(__func__, kChannels);
}
aclError acltdtDestroyDataset(acltdtDataset*) {
    return refuse(__func__, kChannels);
}
size_t acltdtGetDatasetSize(const acltdtDataset*) {
    return refuseWithNothing(__func__, kChannels);
}
acltdtDataItem* acltdtGetDataItem(const acltdtDataset*, size_t) {
    return refuseWithNothing(__func__, kChannels);
}
aclDataType acltdtGetDataTypeFromItem(const acltdtDataItem*) {
    return refuseWithNothing(__func__, kChannels);
}
void* acltdtGetDataAddrFromItem(const acltdtDataItem*) {
    return refuseWithNothing(__func__, kChannels);
}
size_t acltdtGetDataSizeFromItem(const acltdtDataItem*) {
    return refuseWithNothing(__func__, kChannels);
}
size_t acltdtGetDimNumFromItem(const acltdtDataItem*) {
    return refuseWithNothing(__func__, kChannels);
}
aclError acltdtGetDimsFromItem(const acltdtDataItem*, int64_t*, size_t) {
    return refuse(__func__, kChannels);
}
