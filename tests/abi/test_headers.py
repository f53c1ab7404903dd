"""The headers compile alone, agree with the documented binary interface and say everything once.

The numbers and types here are written by hand from the reference, so that a slip in a header shows.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest


def include_dir() -> Path:
    """Return the headers of the source tree, or those of the installed package."""
    in_tree = Path(__file__).resolve().parents[2] / "include"
    if in_tree.is_dir():
        return in_tree
    from aclquant._ffi import locate

    return Path(locate.bundled(locate.HEADERS))


INCLUDE = include_dir()
HEADERS = sorted(path.relative_to(INCLUDE).as_posix() for path in INCLUDE.rglob("*.h"))
DIALECTS = {"c11": ("cc", "c"), "c++17": ("c++", "c++")}
MACROS = {"acl": "ACL_FUNC_VISIBILITY", "aclnn": "ACLNN_API", "aclquant": "ACLQUANT_API"}

# Type: size, alignment, offsets of members.
LAYOUTS: dict[str, tuple[int, int, dict[str, int]]] = {
    "aclError": (4, 4, {}),
    "aclnnStatus": (4, 4, {}),
    "aclFloat16": (2, 2, {}),
    "aclDataType": (4, 4, {}),
    "aclFormat": (4, 4, {}),
    "aclrtMemMallocPolicy": (4, 4, {}),
    "aclrtStream": (8, 8, {}),
    "bool": (1, 1, {}),
    "aclCANNPackageVersion": (
        512,
        1,
        {
            "version": 0,
            "majorVersion": 128,
            "minorVersion": 192,
            "releaseVersion": 256,
            "patchVersion": 320,
            "reserved": 384,
        },
    ),
    "aclrtUtilizationInfo": (
        24,
        8,
        {
            "cubeUtilization": 0,
            "vectorUtilization": 4,
            "aicpuUtilization": 8,
            "memoryUtilization": 12,
            "utilizationExtend": 16,
        },
    ),
    "aclrtMemLocation": (8, 4, {"id": 0, "type": 4}),
    "aclrtPtrAttributes": (28, 4, {"location": 0, "pageSize": 8, "rsv": 12}),
    "aclrtPhysicalMemProp": (
        32,
        8,
        {"handleType": 0, "allocationType": 4, "memAttr": 8, "location": 12, "reserve": 24},
    ),
    "aclrtMallocAttrValue": (8, 4, {"moduleId": 0, "deviceId": 0, "vaFlag": 0, "rsv": 0}),
    "aclrtMallocAttribute": (12, 4, {"attr": 0, "value": 4}),
    "aclrtMallocConfig": (16, 8, {"attrs": 0, "numAttrs": 8}),
    "aclrtStreamConfigHandle": (32, 8, {"workptr": 0, "workSize": 8, "flag": 16, "priority": 24}),
    "aclrtStreamAttrValue": (
        16,
        8,
        {
            "failureMode": 0,
            "overflowSwitch": 0,
            "userCustomTag": 0,
            "cacheOpInfoSwitch": 0,
            "streamPriority": 0,
            "reserve": 0,
        },
    ),
    "aclrtMemcpyBatchAttr": (32, 4, {"dstLoc": 0, "srcLoc": 8, "rsv": 16}),
    "aclrtUuid": (16, 1, {"bytes": 0}),
    "aclrtIpcEventHandle": (64, 1, {"reserved": 0}),
    "aclquantCounters": (
        96,
        8,
        {
            "tensors": 0,
            "deviceBuffers": 64,
            "hostBuffers": 72,
            "deviceBytes": 80,
            "queuedTasks": 88,
        },
    ),
}

VALUES = {
    # Data types: gaps at 5, 14, 15, 18..26, 28, 31, 32.
    "ACL_DT_UNDEFINED": -1,
    "ACL_FLOAT": 0,
    "ACL_FLOAT16": 1,
    "ACL_INT8": 2,
    "ACL_INT32": 3,
    "ACL_UINT8": 4,
    "ACL_INT16": 6,
    "ACL_UINT16": 7,
    "ACL_UINT32": 8,
    "ACL_INT64": 9,
    "ACL_UINT64": 10,
    "ACL_DOUBLE": 11,
    "ACL_BOOL": 12,
    "ACL_STRING": 13,
    "ACL_COMPLEX64": 16,
    "ACL_COMPLEX128": 17,
    "ACL_BF16": 27,
    "ACL_INT4": 29,
    "ACL_UINT1": 30,
    "ACL_COMPLEX32": 33,
    "ACL_HIFLOAT8": 34,
    "ACL_FLOAT8_E5M2": 35,
    "ACL_FLOAT8_E4M3FN": 36,
    "ACL_FLOAT8_E8M0": 37,
    "ACL_FLOAT6_E3M2": 38,
    "ACL_FLOAT6_E2M3": 39,
    "ACL_FLOAT4_E2M1": 40,
    "ACL_FLOAT4_E1M2": 41,
    # Formats.
    "ACL_FORMAT_UNDEFINED": -1,
    "ACL_FORMAT_NCHW": 0,
    "ACL_FORMAT_NHWC": 1,
    "ACL_FORMAT_ND": 2,
    "ACL_FORMAT_NC1HWC0": 3,
    "ACL_FORMAT_FRACTAL_Z": 4,
    "ACL_FORMAT_NC1HWC0_C04": 12,
    "ACL_FORMAT_HWCN": 16,
    "ACL_FORMAT_NDHWC": 27,
    "ACL_FORMAT_FRACTAL_NZ": 29,
    "ACL_FORMAT_NCDHW": 30,
    "ACL_FORMAT_NDC1HWC0": 32,
    "ACL_FRACTAL_Z_3D": 33,
    "ACL_FORMAT_NC": 35,
    "ACL_FORMAT_NCL": 47,
    "ACL_FORMAT_FRACTAL_NZ_C0_16": 50,
    "ACL_FORMAT_FRACTAL_NZ_C0_8": 54,
    # The two event queries have opposite polarity.
    "ACL_EVENT_STATUS_COMPLETE": 0,
    "ACL_EVENT_STATUS_NOT_READY": 1,
    "ACL_EVENT_STATUS_RESERVED": 2,
    "ACL_EVENT_RECORDED_STATUS_NOT_READY": 0,
    "ACL_EVENT_RECORDED_STATUS_COMPLETE": 1,
    "ACL_EVENT_WAIT_STATUS_COMPLETE": 0,
    "ACL_EVENT_WAIT_STATUS_NOT_READY": 1,
    "ACL_EVENT_WAIT_STATUS_RESERVED": 0xFFFF,
    "ACL_STREAM_STATUS_COMPLETE": 0,
    "ACL_STREAM_STATUS_NOT_READY": 1,
    # A server is 1, not 0.
    "ACL_DEVICE": 0,
    "ACL_HOST": 1,
    # Flags with holes and flags that look like the enum next to them.
    "ACL_EVENT_SYNC": 0x1,
    "ACL_EVENT_CAPTURE_STREAM_PROGRESS": 0x2,
    "ACL_EVENT_TIME_LINE": 0x8,
    "ACL_EVENT_DEVICE_USE_ONLY": 0x10,
    "ACL_EVENT_EXTERNAL": 0x20,
    "ACL_EVENT_IPC": 0x40,
    "ACL_STREAM_FAST_LAUNCH": 0x1,
    "ACL_STREAM_FAST_SYNC": 0x2,
    "ACL_STREAM_PERSISTENT": 0x4,
    "ACL_STREAM_DEVICE_USE_ONLY": 0x20,
    "ACL_HOST_REGISTER_MAPPED": 0,
    "ACL_HOST_REGISTER_IOMEMORY": 4,
    "ACL_HOST_REG_MAPPED": 0x2,
    "ACL_HOST_REG_PINNED": 0x10000000,
    "ACL_CONTINUE_ON_FAILURE": 0,
    "ACL_STOP_ON_FAILURE": 1,
    # Memory.
    "ACL_MEM_MALLOC_HUGE_FIRST": 0,
    "ACL_MEM_MALLOC_NORMAL_ONLY_P2P": 5,
    "ACL_MEM_MALLOC_HUGE1G_ONLY": 6,
    "ACL_MEM_TYPE_LOW_BAND_WIDTH": 0x100,
    "ACL_MEM_TYPE_HIGH_BAND_WIDTH": 0x1000,
    "ACL_MEM_ACCESS_USER_SPACE_READONLY": 0x100000,
    "ACL_MEMCPY_HOST_TO_HOST": 0,
    "ACL_MEMCPY_HOST_TO_DEVICE": 1,
    "ACL_MEMCPY_DEVICE_TO_HOST": 2,
    "ACL_MEMCPY_DEVICE_TO_DEVICE": 3,
    "ACL_MEMCPY_DEFAULT": 4,
    "ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE": 5,
    "ACL_MEMCPY_INNER_DEVICE_TO_DEVICE": 6,
    "ACL_MEMCPY_INTER_DEVICE_TO_DEVICE": 7,
    "ACL_HBM_MEM": 1,
    "ACL_HBM_MEM_P2P_HUGE1G": 11,
    "ACL_MEM_P2P_HUGE1G": 17,
    "ACL_MEM_LOCATION_TYPE_HOST": 0,
    "ACL_MEM_LOCATION_TYPE_DEVICE": 1,
    "ACL_MEM_LOCATIONTYPE_DEVICE": 1,
    "ACL_MEM_LOCATIONTYPE_HOST": 2,
    "ACL_MEM_HANDLE_TYPE_POSIX": 2,
    "ACL_RT_MEM_ACCESS_FLAGS_READWRITE": 3,
    "ACL_RT_MEM_ALLOC_GRANULARITY_UNDEF": 0xFFFF,
    "ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM": 10,
    # Devices, streams, graphs.
    "ACL_DEV_ATTR_AICPU_CORE_NUM": 1,
    "ACL_DEV_ATTR_AICORE_CORE_NUM": 101,
    "ACL_DEV_ATTR_VECTOR_CORE_NUM": 201,
    "ACL_DEV_ATTR_UBUF_PER_VECTOR_CORE": 204,
    "ACL_DEV_ATTR_LOCAL_MEM_PER_VECTOR_CORE": 204,
    "ACL_DEV_ATTR_MAX_BLOCK_DIM_Z": 212,
    "ACL_DEV_ATTR_TOTAL_GLOBAL_MEM_SIZE": 301,
    "ACL_DEV_ATTR_DEVICE_FORM_FACTOR": 409,
    "ACL_DEV_ATTR_IS_VIRTUAL": 501,
    "ACL_DEV_ATTR_NPU_ARCH": 601,
    "ACL_CANN_ATTR_UNDEFINED": -1,
    "ACL_CANN_ATTR_BF16": 1,
    "ACL_DEVICE_INFO_UNDEFINED": -1,
    "ACL_DEVICE_INFO_L2_SIZE": 2,
    "ACL_RT_OVERFLOW_MODE_INFNAN": 1,
    "ACL_STREAM_ATTR_FAILURE_MODE": 1,
    "ACL_STREAM_ATTR_PRIORITY": 5,
    "ACL_RT_STREAM_STATE_CREATE_POST": 1,
    "ACL_RT_ERROR_OTHERS": 0xFFFF,
    "ACL_REG_TYPE_ACL_RETR": 7,
    "ACL_REG_TYPE_OTHER": 0xFFFF,
    "ACL_PKG_NAME_DRIVER": 7,
    "ACL_MODEL_RI_CAPTURE_MODE_RELAXED": 2,
    "ACL_MODEL_RI_CAPTURE_STATUS_INVALIDATED": 2,
    "ACL_MODEL_RI_TASK_VALUE_WAIT": 6,
    # Runtime codes: the ends of each run, the names without RT_, those the project answers.
    "ACL_SUCCESS": 0,
    "ACL_ERROR_NONE": 0,
    "ACL_ERROR_INVALID_PARAM": 100000,
    "ACL_ERROR_UNINITIALIZE": 100001,
    "ACL_ERROR_REPEAT_INITIALIZE": 100002,
    "ACL_ERROR_OP_NOT_FOUND": 100024,
    "ACL_ERROR_REPEAT_FINALIZE": 100037,
    "ACL_ERROR_DUMP_NOT_RUN": 100045,
    "ACL_ERROR_PROF_REPEAT_SUBSCRIBE": 148046,
    "ACL_ERROR_INVALID_BUNDLE_MODEL_ID": 148053,
    "ACL_ERROR_BAD_ALLOC": 200000,
    "ACL_ERROR_FEATURE_UNSUPPORTED": 200006,
    "ACL_ERROR_STORAGE_OVER_LIMIT": 300000,
    "ACL_ERROR_INTERNAL_ERROR": 500000,
    "ACL_ERROR_PROFILING_FAILURE": 500005,
    "ACL_ERROR_RT_PARAM_INVALID": 107000,
    "ACL_ERROR_RT_INVALID_DEVICEID": 107001,
    "ACL_ERROR_RT_CONTEXT_NULL": 107002,
    "ACL_ERROR_RT_STREAM_CONTEXT": 107003,
    "ACL_ERROR_RT_INVALID_HANDLE": 107017,
    "ACL_ERROR_RT_STREAM_ABORT": 107023,
    "ACL_ERROR_STREAM_CAPTURE_CONFLICT": 107032,
    "ACL_ERROR_STREAM_TASK_GROUP_STATUS": 107033,
    "ACL_ERROR_STREAM_TASK_GROUP_INTR": 107034,
    "ACL_ERROR_RT_TASK_ABORT_STOP": 107035,
    "ACL_ERROR_RT_SUB_ACLGRAPH_IS_CAPTURING": 107045,
    "ACL_ERROR_RT_FEATURE_NOT_SUPPORT": 207000,
    "ACL_ERROR_RT_MEMORY_ALLOCATION": 207001,
    "ACL_ERROR_RT_LINK_TYPE_NOT_SUPPORTED": 207021,
    "ACL_ERROR_RT_INTERNAL_ERROR": 507000,
    "ACL_ERROR_RT_CONTEXT_RELEASE_ERROR": 507007,
    "ACL_ERROR_RT_SOC_VERSION": 507008,
    "ACL_ERROR_RT_REPORT_TIMEOUT": 507012,
    "ACL_ERROR_RT_AICORE_EXCEPTION": 507015,
    "ACL_ERROR_RT_DEV_SETUP_ERROR": 507033,
    "ACL_ERROR_RT_VECTOR_CORE_EXCEPTION": 507035,
    "ACL_ERROR_RT_DIE_MODE_CHANGE_ERROR": 507038,
    "ACL_ERROR_RT_DIE_MODE_NOT_SET": 507041,
    "ACL_ERROR_RT_AICORE_TRAP_WRITE_OVERFLOW": 507043,
    "ACL_ERROR_RT_VECTOR_CORE_TRAP_WRITE_OVERFLOW": 507045,
    "ACL_ERROR_RT_STREAM_SYNC_TIMEOUT": 507046,
    "ACL_ERROR_RT_EVENT_SYNC_TIMEOUT": 507047,
    "ACL_ERROR_RT_FFTS_PLUS_TRAP_EXCEPTION": 507050,
    "ACL_ERROR_RT_COPY_DATA": 507052,
    "ACL_ERROR_RT_DRV_INTERNAL_ERROR": 507899,
    "ACL_ERROR_RT_STREAM_CAPTURE_INVALIDATED": 507903,
    "ACL_ERROR_SNAPSHOT_LOCK_TIMEOUT": 507905,
    "ACL_ERROR_SNAPSHOT_RESTORE_FAILED": 507909,
    "ACL_ERROR_HOST_MEMORY_ALREADY_REGISTERED": 507910,
    "ACL_ERROR_HOST_MEMORY_NOT_REGISTERED": 507911,
    "ACL_ERROR_RT_L3_PORT_ERROR": 507914,
    "ACL_ERROR_RT_CCU_EXCEPTION": 507916,
    # Operator codes, with the misspelling of older releases.
    "ACLNN_SUCCESS": 0,
    "ACLNN_ERR_PARAM_NULLPTR": 161001,
    "ACLNN_ERR_PARAM_INVALID": 161002,
    "ACLNN_ERR_RUNTIME_ERROR": 361001,
    "ACLNN_ERR_INNER": 561000,
    "ACLNN_ERR_INNER_FIND_KERNEL_ERROR": 561003,
    "ACLNN_ERR_INNER_CREATE_EXECUTOR": 561101,
    "ACLNN_ERR_INNER_NULLPTR": 561103,
    "ACLNN_ERR_INNER_KEY_CONFLICT": 561105,
    "ACLNN_ERR_INNER_KEY_CONFILICT": 561105,
    "ACLNN_ERR_INNER_STATIC_BLOCK_DIM_INVALID": 561119,
    "ACLQUANT_CAPABILITY_HOST_MEMORY": 0,
}

# How many constants of each family there are, so that a lost or added one is noticed.
CODE_COUNTS = {
    "acl/acl_base.h": 71 + 46 + 22 + 76,
    "aclnn/aclnn_base.h": 28,
}

TENSOR = "const aclTensor *"
DIMS = "const int64_t *, uint64_t"
DYNAMIC_INPUTS = f"{TENSOR}, {TENSOR}, {TENSOR}, int64_t"
DYNAMIC_OUTPUTS = f"{TENSOR}, {TENSOR}, {TENSOR}"
RESULT = "uint64_t *, aclOpExecutor **"
PHASE_2 = "void *, uint64_t, aclOpExecutor *, aclrtStream"

# Function: result and parameter types. Every operator, and the runtime calls that invite slips.
PROTOTYPES = {
    "rtKernelLaunch": ("int32_t", "const void *, uint32_t, void *, uint32_t, void *, void *"),
    "aclrtBinaryLoadFromData": (
        "aclError",
        "const void *, size_t, const aclrtBinaryLoadOptions *, aclrtBinHandle *",
    ),
    "aclCreateTensorDesc": ("aclTensorDesc *", "aclDataType, int, const int64_t *, aclFormat"),
    "aclGetCompileopt": ("aclError", "aclCompileOpt, char *, size_t"),
    "aclnnQuantizeGetWorkspaceSize": (
        "aclnnStatus",
        f"{TENSOR}, {TENSOR}, {TENSOR}, aclDataType, int32_t, aclTensor *, {RESULT}",
    ),
    "aclnnAscendQuantGetWorkspaceSize": (
        "aclnnStatus",
        f"{TENSOR}, {TENSOR}, {TENSOR}, _Bool, const char *, int32_t, {TENSOR}, {RESULT}",
    ),
    "aclnnAscendQuantV3GetWorkspaceSize": (
        "aclnnStatus",
        f"{TENSOR}, {TENSOR}, {TENSOR}, _Bool, const char *, int32_t, int32_t, {TENSOR}, {RESULT}",
    ),
    "aclnnAscendAntiQuantGetWorkspaceSize": (
        "aclnnStatus",
        f"{TENSOR}, {TENSOR}, {TENSOR}, int64_t, _Bool, {TENSOR}, {RESULT}",
    ),
    "aclnnTransQuantParam": (
        "aclnnStatus",
        "const float *, uint64_t, const float *, uint64_t, uint64_t **, uint64_t *",
    ),
    "aclnnTransQuantParamV2GetWorkspaceSize": (
        "aclnnStatus",
        f"{TENSOR}, {TENSOR}, {TENSOR}, {RESULT}",
    ),
    "aclnnTransQuantParamV3GetWorkspaceSize": (
        "aclnnStatus",
        f"{TENSOR}, {TENSOR}, int64_t, {TENSOR}, {RESULT}",
    ),
    "aclnnDynamicQuantGetWorkspaceSize": (
        "aclnnStatus",
        f"{TENSOR}, {TENSOR}, {TENSOR}, {TENSOR}, {RESULT}",
    ),
    "aclnnDynamicQuantV2GetWorkspaceSize": (
        "aclnnStatus",
        f"{DYNAMIC_INPUTS}, {DYNAMIC_OUTPUTS}, {RESULT}",
    ),
    "aclnnDynamicQuantV3GetWorkspaceSize": (
        "aclnnStatus",
        f"{DYNAMIC_INPUTS}, _Bool, const char *, {DYNAMIC_OUTPUTS}, {RESULT}",
    ),
    "aclnnDynamicQuantV4GetWorkspaceSize": (
        "aclnnStatus",
        f"{DYNAMIC_INPUTS}, _Bool, const char *, float, {DYNAMIC_OUTPUTS}, {RESULT}",
    ),
    "aclnnQuantMatmulV3GetWorkspaceSize": (
        "aclnnStatus",
        f"{', '.join([TENSOR] * 5)}, _Bool, _Bool, {TENSOR}, {RESULT}",
    ),
    "aclnnQuantMatmulV4GetWorkspaceSize": (
        "aclnnStatus",
        f"{', '.join([TENSOR] * 6)}, _Bool, _Bool, {TENSOR}, {RESULT}",
    ),
    "aclnnQuantMatmulV5GetWorkspaceSize": (
        "aclnnStatus",
        f"{', '.join([TENSOR] * 9)}, _Bool, _Bool, int64_t, aclTensor *, {RESULT}",
    ),
    "aclnnQuantize": ("aclnnStatus", PHASE_2),
    "aclnnAscendQuant": ("aclnnStatus", PHASE_2),
    "aclnnAscendQuantV3": ("aclnnStatus", PHASE_2),
    "aclnnAscendAntiQuant": ("aclnnStatus", PHASE_2),
    "aclnnTransQuantParamV2": ("aclnnStatus", PHASE_2),
    "aclnnTransQuantParamV3": ("aclnnStatus", PHASE_2),
    "aclnnQuantMatmulV3": ("aclnnStatus", PHASE_2),
    "aclnnQuantMatmulV4": ("aclnnStatus", PHASE_2),
    "aclnnQuantMatmulV5": ("aclnnStatus", PHASE_2),
    "aclnnDynamicQuant": ("aclnnStatus", PHASE_2),
    "aclnnDynamicQuantV2": ("aclnnStatus", PHASE_2),
    "aclnnDynamicQuantV3": ("aclnnStatus", PHASE_2),
    "aclnnDynamicQuantV4": ("aclnnStatus", PHASE_2),
    "aclCreateTensor": (
        "aclTensor *",
        f"{DIMS}, aclDataType, const int64_t *, int64_t, aclFormat, {DIMS}, void *",
    ),
    "aclCreateBoolArray": ("aclBoolArray *", "const _Bool *, uint64_t"),
    "aclSetDynamicInputTensorAddr": (
        "aclnnStatus",
        "aclOpExecutor *, size_t, size_t, aclTensorList *, void *",
    ),
    "AclSetDynamicInputTensorAddr": (
        "aclnnStatus",
        "aclOpExecutor *, size_t, size_t, aclTensorList *, void *",
    ),
    "aclrtMalloc": ("aclError", "void **, size_t, aclrtMemMallocPolicy"),
    "aclrtMallocHostWithCfg": ("aclError", "void **, uint64_t, aclrtMallocConfig *"),
    "aclrtMemcpy": ("aclError", "void *, size_t, const void *, size_t, aclrtMemcpyKind"),
    "aclrtMemset": ("aclError", "void *, size_t, int32_t, size_t"),
    "aclrtHostRegister": ("aclError", "void *, uint64_t, aclrtHostRegisterType, void **"),
    "aclrtEventElapsedTime": ("aclError", "float *, aclrtEvent, aclrtEvent"),
    "aclrtIpcOpenEventHandle": ("aclError", "aclrtIpcEventHandle, aclrtEvent *"),
    "aclrtSetDevice": ("aclError", "int32_t"),
    "aclGetDeviceCapability": ("aclError", "uint32_t, aclDeviceInfo, int64_t *"),
    "aclFinalizeReference": ("aclError", "uint64_t *"),
    "aclGetRecentErrMsg": ("const char *", "void"),
    "aclrtGetTaskIdFromExceptionInfo": ("uint32_t", "const aclrtExceptionInfo *"),
    "aclAppLog": (
        "void",
        "aclLogLevel, const char *, const char *, uint32_t, const char *, ...",
    ),
    "aclquantGetCapability": ("int32_t", "aclquantCapability"),
    "aclquantHostRegister": ("aclError", "const void *, uint64_t"),
}


def documented_prototypes() -> dict[str, tuple[str, str]]:
    """Return the prototypes of prototypes.txt: CANN's public reference, types without names."""
    text = Path(__file__).with_name("prototypes.txt").read_text(encoding="ascii")
    found = re.findall(r"^(\w[^(]*?) ?(\w+)\((.*)\)$", text, flags=re.MULTILINE)
    assert len(found) == len(text.splitlines())
    return {name: (result, parameters) for result, name, parameters in found}


def compile_source(source: str, dialect: str, directory: Path) -> None:
    """Check a source text in one dialect with every warning an error.

    Parameters
    ----------
    source : str
        The text to compile.
    dialect : str
        A key of ``DIALECTS``.
    directory : Path
        Where the text may be written.
    """
    compiler, language = DIALECTS[dialect]
    if shutil.which(compiler) is None:
        pytest.skip(f"no compiler '{compiler}' on this machine")
    path = directory / "source.txt"
    path.write_text(source, encoding="utf-8")
    done = subprocess.run(
        [
            compiler,
            f"-std={dialect}",
            *("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"),
            f"-I{INCLUDE}",
            *("-x", language, str(path)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def includes(headers: list[str]) -> str:
    return "".join(f'#include "{header}"\n' for header in headers)


def without_comments(header: str) -> str:
    text = (INCLUDE / header).read_text(encoding="ascii")
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)


def prototypes(header: str) -> list[str]:
    """Return the prototypes of a header, each in one line without its visibility macro."""
    pattern = rf"^(?:{'|'.join(MACROS.values())}) ([^;]*);$"
    found = re.findall(pattern, without_comments(header), flags=re.MULTILINE)
    return [" ".join(text.split()) for text in found]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("header", HEADERS)
def test_header_compiles_alone(header: str, dialect: str, tmp_path: Path) -> None:
    # Twice, so that a missing include guard shows too.
    compile_source(includes([header, header]), dialect, tmp_path)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sizes_and_offsets(dialect: str, tmp_path: Path) -> None:
    lines = [includes(["acl/acl.h", "aclnn/acl_meta.h", "aclquant/host_device.h"])]
    lines.append("#include <assert.h>\n#include <stdalign.h>\n#include <stddef.h>\n")
    for name, (size, alignment, offsets) in LAYOUTS.items():
        lines.append(f'static_assert(sizeof({name}) == {size}, "size of {name}");\n')
        lines.append(f'static_assert(alignof({name}) == {alignment}, "alignment of {name}");\n')
        for member, offset in offsets.items():
            place = f"{name}.{member}"
            lines.append(f'static_assert(offsetof({name}, {member}) == {offset}, "{place}");\n')
    compile_source("".join(lines), dialect, tmp_path)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_values(dialect: str, tmp_path: Path) -> None:
    lines = [includes(HEADERS), "#include <assert.h>\n"]
    lines += [f'static_assert({name} == {value}, "{name}");\n' for name, value in VALUES.items()]
    compile_source("".join(lines), dialect, tmp_path)


def test_types_of_functions(tmp_path: Path) -> None:
    lines = [includes(HEADERS), "#include <assert.h>\n"]
    for name, (result, parameters) in (PROTOTYPES | documented_prototypes()).items():
        same = f"_Generic(&{name}, {result} (*)({parameters}): 1, default: 0)"
        lines.append(f'static_assert({same}, "type of {name}");\n')
    compile_source("".join(lines), "c11", tmp_path)


@pytest.mark.parametrize("header", CODE_COUNTS)
def test_codes_are_complete(header: str) -> None:
    pattern = r"^#define (ACL(?:NN)?_(?:ERR|SUCCESS)\w*) "
    codes = re.findall(pattern, without_comments(header), flags=re.MULTILINE)
    assert len(codes) == len(set(codes)) == CODE_COUNTS[header]


def test_each_function_is_declared_once() -> None:
    names: Counter[str] = Counter()
    for header in HEADERS:
        for prototype in prototypes(header):
            match = re.match(r"[^(]*?(\w+)\(", prototype)
            assert match, prototype
            names[match[1]] += 1
    assert [name for name, count in names.items() if count > 1] == []
    assert set(PROTOTYPES) <= set(names)


def test_each_enumerator_and_constant_is_written_once() -> None:
    names: Counter[str] = Counter()
    for header in HEADERS:
        text = without_comments(header)
        names.update(re.findall(r"^#define (\w+) [-(\d]", text, flags=re.MULTILINE))
        names.update(re.findall(r"^ {4}(\w+) = ", text, flags=re.MULTILINE))
    assert [name for name, count in names.items() if count > 1] == []
    assert set(VALUES) <= set(names)


@pytest.mark.parametrize("header", HEADERS)
def test_header_keeps_to_what_the_binding_can_read(header: str) -> None:
    """The cffi declarations are made without a preprocessor, so the headers use little of it."""
    text = without_comments(header)
    macro = MACROS["aclnn" if header.startswith("aclnn") else header.split("/")[0]]
    visibility = re.compile(rf"#if defined\(__GNUC__\)\n#define {macro} .*?#endif\n", re.DOTALL)
    text = visibility.sub("", text, count=1)
    allowed = (
        r'#include (<std\w+\.h>|"acl\w*/\w+\.h")',
        r"#(ifndef|define) ACLQUANT_INCLUDE_\w+_H",
        r"#ifdef __cplusplus",
        r"#endif",
        r"#define [A-Z]\w* (0x[0-9A-Fa-f]+|\d+|\(-\d+\))",
    )
    for line in text.splitlines():
        if line.startswith("#"):
            assert any(re.fullmatch(pattern, line) for pattern in allowed), line
    for enum in re.findall(r"typedef enum[^{]*\{([^}]*)\}", text):
        for enumerator in enum.split(","):
            assert re.fullmatch(r"\s*\w+ = -?\w+\s*", enumerator), enumerator
    for prototype in prototypes(header):
        parameters = prototype[prototype.index("(") + 1 : -1]
        assert parameters, f"an empty parameter list must be (void): {prototype}"
        for parameter in parameters.split(", "):
            named = re.fullmatch(r"void|\.\.\.|.+[ *]\w+", parameter)
            assert named, f"unnamed parameter '{parameter}': {prototype}"
    # Every function carries the macro, so nothing else may look like one.
    rest = re.sub(rf"^({macro} [^;]*;|#define .*)$", "", text, flags=re.MULTILINE)
    assert [line for line in rest.splitlines() if "(" in line and "(*" not in line] == []
