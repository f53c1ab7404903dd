"""What each status code means.

Numbers and names come from the headers (one home); the explanations here are keyed by name. The
graph engine's codes have no header of ours, so their numbers stand in the table.
"""

from __future__ import annotations

import contextlib
import operator
from functools import cache

from . import errors

__all__ = ["code_name", "explain"]


def code_name(code: int) -> str:
    """Return the name of a status code, or an empty string if it is unknown.

    Examples
    --------
    >>> code_name(161002)
    'ACLNN_ERR_PARAM_INVALID'
    """
    return _names().get(code, "")


def explain(code: int | str) -> str:
    """Explain a status code of the runtime (``aclError``) or of an operator (``aclnnStatus``).

    Parameters
    ----------
    code : int or str
        The number that a function returned, as a number or a text (hexadecimal with ``0x``); or its
        name.

    Returns
    -------
    str
        Number, name and meaning on one line.

    Raises
    ------
    ParameterError
        When it is neither a number nor a name.

    Examples
    --------
    >>> print(explain(107002))
    107002 ACL_ERROR_RT_CONTEXT_NULL: this thread has no current context; select a device first
    >>> explain("107002") == explain("ACL_ERROR_RT_CONTEXT_NULL") == explain(107002)
    True
    >>> print(explain(4711))
    4711: not a code that aclquant knows
    """
    number = _number(code)
    name = code_name(number)
    if not name:
        return f"{number}: not a code that aclquant knows"
    return f"{number} {name}: {explanations()[name]}"


def _number(code: int | str) -> int:
    if isinstance(code, str):
        text = code.strip()
        if text in explanations():
            return _numbers()[text]
        if (number := as_number(text)) is not None:
            return number
    elif not isinstance(code, bool):
        with contextlib.suppress(TypeError):
            return operator.index(code)
    raise errors.ParameterError(
        function="aclquant.explain",
        argument="code",
        got=repr(code),
        allowed="a status code, such as 161002, or its name, such as 'ACLNN_ERR_PARAM_INVALID'",
    )


def as_number(text: str) -> int | None:
    """Read a number as programs print codes: decimal, or hexadecimal after ``0x``."""
    for base in (10, 16):
        with contextlib.suppress(ValueError):
            if base == 10 or "0x" in text.lower():
                return int(text, base)
    return None


@cache
def _numbers() -> dict[str, int]:
    from ._ffi.declarations import constants

    numbers = {name: value for name, value in constants.items() if name in explanations()}
    for line in _GRAPH_ENGINE.strip().splitlines():
        number, name, _ = line.split(maxsplit=2)
        numbers[name] = int(number)
    return numbers


@cache
def _names() -> dict[int, str]:
    graph_engine = {line.split(maxsplit=2)[1] for line in _GRAPH_ENGINE.strip().splitlines()}
    names: dict[int, str] = {}
    for name, number in _numbers().items():
        if name in graph_engine:
            names[number] = name
        else:
            names.setdefault(number, name)  # the first of several names
    return names


def all_codes() -> dict[str, int]:
    """Return name to number, for every code."""
    return dict(_numbers())


@cache
def explanations() -> dict[str, str]:
    """Return name to meaning, for every code."""
    lines = [line.split(maxsplit=1) for line in _EXPLANATIONS.strip().splitlines()]
    lines += [line.split(maxsplit=2)[1:] for line in _GRAPH_ENGINE.strip().splitlines()]
    return {name: text for name, text in lines}


_EXPLANATIONS = """
ACL_SUCCESS success
ACL_ERROR_NONE success (old name)
ACL_ERROR_INVALID_PARAM a required pointer is null, a size is zero or an enumerator is out of range
ACL_ERROR_UNINITIALIZE the initialising function of this part (aclInit or another) was not called
ACL_ERROR_REPEAT_INITIALIZE it was initialised before; harmless
ACL_ERROR_INVALID_FILE a file is missing or cannot be read
ACL_ERROR_WRITE_FILE a file cannot be written
ACL_ERROR_INVALID_FILE_SIZE a file has an impossible size
ACL_ERROR_PARSE_FILE a configuration file has a syntax error
ACL_ERROR_FILE_MISSING_ATTR a configuration file lacks a key
ACL_ERROR_FILE_ATTR_INVALID a key of a configuration file has a bad value
ACL_ERROR_INVALID_DUMP_CONFIG the dump section of the configuration is wrong
ACL_ERROR_INVALID_PROFILING_CONFIG the profiling section of the configuration is wrong
ACL_ERROR_INVALID_MODEL_ID no model has this id
ACL_ERROR_DESERIALIZE_MODEL an offline model cannot be decoded
ACL_ERROR_PARSE_MODEL an offline model cannot be understood
ACL_ERROR_READ_MODEL_FAILURE an offline model cannot be read
ACL_ERROR_MODEL_SIZE_INVALID an offline model has an impossible size
ACL_ERROR_MODEL_MISSING_ATTR an offline model lacks an attribute
ACL_ERROR_MODEL_INPUT_NOT_MATCH the inputs do not fit the model
ACL_ERROR_MODEL_OUTPUT_NOT_MATCH the outputs do not fit the model
ACL_ERROR_MODEL_NOT_DYNAMIC a model of fixed shape was called with a dynamic one
ACL_ERROR_OP_TYPE_NOT_MATCH single-operator call: another operator type was expected
ACL_ERROR_OP_INPUT_NOT_MATCH single-operator call: the inputs do not fit
ACL_ERROR_OP_OUTPUT_NOT_MATCH single-operator call: the outputs do not fit
ACL_ERROR_OP_ATTR_NOT_MATCH single-operator call: the attributes do not fit
ACL_ERROR_OP_NOT_FOUND single-operator call: no such operator
ACL_ERROR_OP_LOAD_FAILED the model of an operator cannot be loaded
ACL_ERROR_UNSUPPORTED_DATA_TYPE unknown data type
ACL_ERROR_FORMAT_NOT_MATCH the memory formats do not fit
ACL_ERROR_BIN_SELECTOR_NOT_REGISTERED no selector of kernel binaries is registered
ACL_ERROR_KERNEL_NOT_FOUND the kernel is not registered
ACL_ERROR_BIN_SELECTOR_ALREADY_REGISTERED a selector of kernel binaries is registered already
ACL_ERROR_KERNEL_ALREADY_REGISTERED the kernel is registered already
ACL_ERROR_INVALID_QUEUE_ID no queue has this id
ACL_ERROR_REPEAT_SUBSCRIBE the stream already has a subscribed thread
ACL_ERROR_STREAM_NOT_SUBSCRIBE the stream has no subscribed thread (old code, now 107015)
ACL_ERROR_THREAD_NOT_SUBSCRIBE the thread is not subscribed (old code, now 107012)
ACL_ERROR_WAIT_CALLBACK_TIMEOUT no callback arrived in time (old code, now 507012)
ACL_ERROR_REPEAT_FINALIZE finalised more often than initialised
ACL_ERROR_NOT_STATIC_AIPP image preprocessing is not static (old code, now 145015)
ACL_ERROR_COMPILING_STUB_MODE the link-time stub libraries (devlib) are loaded, not the real ones
ACL_ERROR_GROUP_NOT_SET no group is set (old code, now 107013)
ACL_ERROR_GROUP_NOT_CREATE the group was not created (old code, now 107014)
ACL_ERROR_PROF_ALREADY_RUN profiling is running already
ACL_ERROR_PROF_NOT_RUN profiling was not initialised
ACL_ERROR_DUMP_ALREADY_RUN dumping is configured already
ACL_ERROR_DUMP_NOT_RUN dumping was not initialised
ACL_ERROR_PROF_REPEAT_SUBSCRIBE the model is subscribed to profiling already
ACL_ERROR_PROF_API_CONFLICT the two families of profiling functions were mixed
ACL_ERROR_INVALID_MAX_OPQUEUE_NUM_CONFIG the configured limit of cached operators is wrong
ACL_ERROR_INVALID_OPP_PATH ASCEND_OPP_PATH is not set or not a directory of operators
ACL_ERROR_OP_UNSUPPORTED_DYNAMIC the operator cannot take dynamic shapes
ACL_ERROR_RELATIVE_RESOURCE_NOT_CLEARED something that depends on this object still exists
ACL_ERROR_UNSUPPORTED_JPEG an image format is not supported
ACL_ERROR_INVALID_BUNDLE_MODEL_ID no bundled model has this id
ACL_ERROR_BAD_ALLOC the host is out of memory
ACL_ERROR_API_NOT_SUPPORT the function does not exist on this product
ACL_ERROR_INVALID_DEVICE no such device (old code, now 107001)
ACL_ERROR_MEMORY_ADDRESS_UNALIGNED an address is not aligned
ACL_ERROR_RESOURCE_NOT_MATCH a stream or context belongs to somebody else
ACL_ERROR_INVALID_RESOURCE_HANDLE a handle is destroyed or in use
ACL_ERROR_FEATURE_UNSUPPORTED the feature is not supported
ACL_ERROR_PROF_MODULES_UNSUPPORTED a profiling switch is not supported
ACL_ERROR_STORAGE_OVER_LIMIT a storage limit was reached
ACL_ERROR_INTERNAL_ERROR unknown internal error; at aclInit: the SoC could not be determined
ACL_ERROR_FAILURE internal failure
ACL_ERROR_GE_FAILURE the graph engine failed
ACL_ERROR_RT_FAILURE the runtime failed
ACL_ERROR_DRV_FAILURE the driver failed
ACL_ERROR_PROFILING_FAILURE profiling failed
ACL_ERROR_RT_PARAM_INVALID a value is out of range: a count above its limit, a timeout of 0, flags
ACL_ERROR_RT_INVALID_DEVICEID no device has this id
ACL_ERROR_RT_CONTEXT_NULL this thread has no current context; select a device first
ACL_ERROR_RT_STREAM_CONTEXT the stream belongs to another context
ACL_ERROR_RT_MODEL_CONTEXT the model belongs to another context
ACL_ERROR_RT_STREAM_MODEL the stream is not bound to the model
ACL_ERROR_RT_EVENT_TIMESTAMP_INVALID an event has no time stamp (not recorded?)
ACL_ERROR_RT_EVENT_TIMESTAMP_REVERSAL the end event lies before the start event
ACL_ERROR_RT_ADDR_UNALIGNED an address is not aligned
ACL_ERROR_RT_FILE_OPEN a file cannot be opened
ACL_ERROR_RT_FILE_WRITE a file cannot be written
ACL_ERROR_RT_STREAM_SUBSCRIBE the stream is not subscribed, or twice
ACL_ERROR_RT_THREAD_SUBSCRIBE the thread is not subscribed, or twice
ACL_ERROR_RT_GROUP_NOT_SET no group is set
ACL_ERROR_RT_GROUP_NOT_CREATE the group was not created
ACL_ERROR_RT_STREAM_NO_CB_REG a callback was launched on a stream that no thread serves
ACL_ERROR_RT_INVALID_MEMORY_TYPE wrong kind of memory
ACL_ERROR_RT_INVALID_HANDLE the handle is unknown, destroyed, or of another kind
ACL_ERROR_RT_INVALID_MALLOC_TYPE wrong kind of allocation
ACL_ERROR_RT_WAIT_TIMEOUT a wait took too long
ACL_ERROR_RT_TASK_TIMEOUT a task took too long
ACL_ERROR_RT_SYSPARAMOPT_NOT_SET the option was never set on this context
ACL_ERROR_RT_DEVICE_TASK_ABORT all tasks of the device are being aborted
ACL_ERROR_RT_STREAM_ABORT the stream was aborted while somebody waited for it
ACL_ERROR_RT_CAPTURE_DEPENDENCY a captured wait has no captured record
ACL_ERROR_RT_STREAM_UNJOINED a side stream was not joined before the capture ended
ACL_ERROR_RT_MODEL_CAPTURED the graph is still being captured
ACL_ERROR_RT_STREAM_CAPTURED not allowed while the stream is captured
ACL_ERROR_RT_EVENT_CAPTURED not allowed while the event is captured
ACL_ERROR_RT_STREAM_NOT_CAPTURED the stream is not captured
ACL_ERROR_RT_CAPTURE_MODE_NOT_SUPPORT the capture mode forbids this call
ACL_ERROR_RT_STREAM_CAPTURE_IMPLICIT the default stream cannot be captured
ACL_ERROR_STREAM_CAPTURE_CONFLICT streams of two captures depend on each other
ACL_ERROR_STREAM_TASK_GROUP_STATUS the task group is in the wrong state
ACL_ERROR_STREAM_TASK_GROUP_INTR recording a task group was interrupted
ACL_ERROR_RT_TASK_ABORT_STOP aborting the device stopped before its last step
ACL_ERROR_RT_STREAM_CAPTURE_UNMATCHED the capture was begun on another stream
ACL_ERROR_RT_MODEL_RUNNING the graph is running
ACL_ERROR_RT_STREAM_CAPTURE_WRONG_THREAD the capture was begun in another thread
ACL_ERROR_RT_INSUFFICIENT_INPUT_ARRAY the caller's array is too small
ACL_ERROR_RT_MODEL_UPDATE_FAILED the graph cannot be updated
ACL_ERROR_RT_CAPTURE_MODE_BLOCK_ASYNC the capture mode forbids a call that would become synchronous
ACL_ERROR_RT_SYMBOL_NOT_FOUND a symbol of a kernel binary was not found
ACL_ERROR_RT_INVALID_SYMBOL not a symbol of a kernel binary
ACL_ERROR_RT_INVALID_DEVICE_FUNCTION not a function of the device
ACL_ERROR_RT_SUB_ACLGRAPH_IS_CAPTURING a sub-graph is being captured
ACL_ERROR_RT_FEATURE_NOT_SUPPORT this device or driver does not have the feature
ACL_ERROR_RT_MEMORY_ALLOCATION the device is out of memory
ACL_ERROR_RT_MEMORY_FREE memory could not be freed
ACL_ERROR_RT_AICORE_OVER_FLOW a value overflowed in an operator on the AI core (information)
ACL_ERROR_RT_NO_DEVICE there is no usable device
ACL_ERROR_RT_RESOURCE_ALLOC_FAIL a resource could not be allocated
ACL_ERROR_RT_NO_PERMISSION not permitted
ACL_ERROR_RT_NO_EVENT_RESOURCE no more events
ACL_ERROR_RT_NO_STREAM_RESOURCE no more streams
ACL_ERROR_RT_NO_NOTIFY_RESOURCE no more notifies
ACL_ERROR_RT_NO_MODEL_RESOURCE no more models
ACL_ERROR_RT_NO_CDQ_RESOURCE no more descriptor queues
ACL_ERROR_RT_OVER_LIMIT too many queues
ACL_ERROR_RT_QUEUE_EMPTY the queue is empty
ACL_ERROR_RT_QUEUE_FULL the queue is full
ACL_ERROR_RT_REPEATED_INIT initialised twice
ACL_ERROR_RT_AIVEC_OVER_FLOW a value overflowed in an operator on the vector core (information)
ACL_ERROR_RT_OVER_FLOW a value overflowed (information)
ACL_ERROR_RT_DEVICE_OOM the device ran out of memory while it worked
ACL_ERROR_RT_FEATURE_NOT_SUPPORT_UPDATE_OP this operator cannot be updated in a graph
ACL_ERROR_RT_TIMEOUT the driver did not answer in time
ACL_ERROR_RT_LINK_TYPE_NOT_SUPPORTED this kind of link is not supported
ACL_ERROR_RT_INTERNAL_ERROR internal error of the runtime
ACL_ERROR_RT_TS_ERROR the task scheduler failed
ACL_ERROR_RT_STREAM_TASK_FULL the stream has no room for another task
ACL_ERROR_RT_STREAM_TASK_EMPTY the stream has no task
ACL_ERROR_RT_STREAM_NOT_COMPLETE the stream is not done
ACL_ERROR_RT_END_OF_SEQUENCE a sequence of data has ended; normal
ACL_ERROR_RT_EVENT_NOT_COMPLETE the event is not done
ACL_ERROR_RT_CONTEXT_RELEASE_ERROR the context is released already, or the device was never set
ACL_ERROR_RT_SOC_VERSION unknown SoC
ACL_ERROR_RT_TASK_TYPE_NOT_SUPPORT this kind of task is not supported
ACL_ERROR_RT_LOST_HEARTBEAT the scheduler of the device is silent
ACL_ERROR_RT_MODEL_EXECUTE running a model failed
ACL_ERROR_RT_REPORT_TIMEOUT no callback arrived before the timeout
ACL_ERROR_RT_SYS_DMA the system's copy engine failed
ACL_ERROR_RT_AICORE_TIMEOUT a kernel ran too long on the AI core
ACL_ERROR_RT_AICORE_EXCEPTION a kernel failed on the AI core, mostly because of a bad address
ACL_ERROR_RT_AICORE_TRAP_EXCEPTION a kernel trapped on the AI core
ACL_ERROR_RT_AICPU_TIMEOUT a kernel ran too long on the AI CPU
ACL_ERROR_RT_AICPU_EXCEPTION a kernel failed on the AI CPU
ACL_ERROR_RT_AICPU_DATADUMP_RSP_ERR the AI CPU answered a dump request with an error
ACL_ERROR_RT_AICPU_MODEL_RSP_ERR the AI CPU answered a model request with an error
ACL_ERROR_RT_PROFILING_ERROR profiling failed
ACL_ERROR_RT_IPC_ERROR communication between processes failed
ACL_ERROR_RT_MODEL_ABORT_NORMAL a model ended on its own request; normal
ACL_ERROR_RT_KERNEL_UNREGISTERING the kernel is being unregistered
ACL_ERROR_RT_RINGBUFFER_NOT_INIT the ring buffer was not initialised
ACL_ERROR_RT_RINGBUFFER_NO_DATA the ring buffer is empty
ACL_ERROR_RT_KERNEL_LOOKUP the kernel was not found
ACL_ERROR_RT_KERNEL_DUPLICATE the kernel exists twice
ACL_ERROR_RT_DEBUG_REGISTER_FAIL debugging could not be switched on
ACL_ERROR_RT_DEBUG_UNREGISTER_FAIL debugging could not be switched off
ACL_ERROR_RT_LABEL_CONTEXT the label belongs to another context
ACL_ERROR_RT_PROGRAM_USE_OUT no room for another program
ACL_ERROR_RT_DEV_SETUP_ERROR the device cannot be opened
ACL_ERROR_RT_VECTOR_CORE_TIMEOUT a kernel ran too long on the vector core
ACL_ERROR_RT_VECTOR_CORE_EXCEPTION a kernel failed on the vector core (bad address?)
ACL_ERROR_RT_VECTOR_CORE_TRAP_EXCEPTION a kernel trapped on the vector core
ACL_ERROR_RT_CDQ_BATCH_ABNORMAL a batch of a descriptor queue failed
ACL_ERROR_RT_DIE_MODE_CHANGE_ERROR the mode of the dies cannot be changed
ACL_ERROR_RT_DIE_SET_ERROR the die cannot be selected
ACL_ERROR_RT_INVALID_DIEID no die has this id
ACL_ERROR_RT_DIE_MODE_NOT_SET the mode of the dies is not set
ACL_ERROR_RT_AICORE_TRAP_READ_OVERFLOW a kernel read outside its memory on the AI core
ACL_ERROR_RT_AICORE_TRAP_WRITE_OVERFLOW a kernel wrote outside its memory on the AI core
ACL_ERROR_RT_VECTOR_CORE_TRAP_READ_OVERFLOW a kernel read outside its memory on the vector core
ACL_ERROR_RT_VECTOR_CORE_TRAP_WRITE_OVERFLOW a kernel wrote outside its memory on the vector core
ACL_ERROR_RT_STREAM_SYNC_TIMEOUT the stream did not finish before the timeout
ACL_ERROR_RT_EVENT_SYNC_TIMEOUT the event did not happen before the timeout
ACL_ERROR_RT_FFTS_PLUS_TIMEOUT a graph of kernels ran too long
ACL_ERROR_RT_FFTS_PLUS_EXCEPTION a graph of kernels failed
ACL_ERROR_RT_FFTS_PLUS_TRAP_EXCEPTION a graph of kernels trapped
ACL_ERROR_RT_SEND_MSG a message to the device could not be sent
ACL_ERROR_RT_COPY_DATA data could not be copied
ACL_ERROR_RT_DEVICE_MEM_ERROR device memory has an error that cannot be corrected
ACL_ERROR_RT_HBM_MULTI_BIT_ECC_ERROR device memory has several wrong bits in one word
ACL_ERROR_RT_SUSPECT_DEVICE_MEM_ERROR device memory is suspected to be faulty
ACL_ERROR_RT_LINK_ERROR a link between devices failed
ACL_ERROR_RT_SUSPECT_REMOTE_ERROR the other side of a link is suspected to be faulty
ACL_ERROR_RT_DRV_INTERNAL_ERROR internal error of the driver
ACL_ERROR_RT_AICPU_INTERNAL_ERROR internal error of the AI CPU
ACL_ERROR_RT_SOCKET_CLOSE the channel between host and device is closed
ACL_ERROR_RT_AICPU_INFO_LOAD_RSP_ERR the AI CPU could not load its description
ACL_ERROR_RT_STREAM_CAPTURE_INVALIDATED a forbidden call made the capture invalid
ACL_ERROR_RT_COMM_OP_RETRY_FAIL repeating a collective operation failed
ACL_ERROR_SNAPSHOT_LOCK_TIMEOUT locking for a snapshot took too long
ACL_ERROR_SNAPSHOT_LOCK_FAILED locking for a snapshot failed
ACL_ERROR_SNAPSHOT_UNLOCK_FAILED unlocking after a snapshot failed
ACL_ERROR_SNAPSHOT_BACKUP_FAILED taking a snapshot failed
ACL_ERROR_SNAPSHOT_RESTORE_FAILED restoring a snapshot failed
ACL_ERROR_HOST_MEMORY_ALREADY_REGISTERED this host memory is registered already
ACL_ERROR_HOST_MEMORY_NOT_REGISTERED this host memory is not registered
ACL_ERROR_SNAPSHOT_CALLBACK_FAILED a callback of a snapshot failed
ACL_ERROR_SNAPSHOT_REGISTER_CALLBACK_FAILED a callback of a snapshot cannot be registered
ACL_ERROR_RT_L3_PORT_ERROR a network port of the device failed
ACL_ERROR_RT_CCU_TIMEOUT the collective unit took too long
ACL_ERROR_RT_CCU_EXCEPTION the collective unit failed
ACLNN_SUCCESS success
ACLNN_ERR_PARAM_NULLPTR a mandatory argument is null
ACLNN_ERR_PARAM_INVALID an argument has a dtype, shape, format or value that is not accepted here
ACLNN_ERR_RUNTIME_ERROR a call into the runtime failed: no device, no context, launch impossible
ACLNN_ERR_INNER internal error of the operator library, or the operator refuses this chip
ACLNN_ERR_INNER_INFERSHAPE_ERROR the output shape cannot be inferred
ACLNN_ERR_INNER_TILING_ERROR the work cannot be divided among the cores
ACLNN_ERR_INNER_FIND_KERNEL_ERROR no kernel binary for these types on this chip
ACLNN_ERR_INNER_CREATE_EXECUTOR the executor could not be created
ACLNN_ERR_INNER_NOT_TRANS_EXECUTOR the operator did not hand over its executor
ACLNN_ERR_INNER_NULLPTR a null or wrong handle inside; also a kernel-side refusal of the shapes
ACLNN_ERR_INNER_WRONG_ATTR_INFO_SIZE wrong number of attributes
ACLNN_ERR_INNER_KEY_CONFLICT two kernels have the same key
ACLNN_ERR_INNER_KEY_CONFILICT two kernels have the same key (old spelling)
ACLNN_ERR_INNER_INVALID_IMPL_MODE unknown implementation mode
ACLNN_ERR_INNER_OPP_PATH_NOT_FOUND ASCEND_OPP_PATH is not set
ACLNN_ERR_INNER_LOAD_JSON_FAILED the description of a kernel is missing
ACLNN_ERR_INNER_JSON_VALUE_NOT_FOUND the description of a kernel lacks a key
ACLNN_ERR_INNER_JSON_FORMAT_INVALID the description of a kernel names an unknown format
ACLNN_ERR_INNER_JSON_DTYPE_INVALID the description of a kernel names an unknown data type
ACLNN_ERR_INNER_OPP_KERNEL_PKG_NOT_FOUND the package of kernel binaries is not loaded
ACLNN_ERR_INNER_OP_FILE_INVALID the description of an operator is wrong
ACLNN_ERR_INNER_ATTR_NUM_OUT_OF_BOUND too many attributes
ACLNN_ERR_INNER_ATTR_LEN_NOT_ENOUGH too few attributes
ACLNN_ERR_INNER_INPUT_NUM_IN_JSON_TOO_LARGE a kernel is described with too many inputs
ACLNN_ERR_INNER_INPUT_JSON_IS_NULL the description of a kernel is incomplete
ACLNN_ERR_INNER_STATIC_WORKSPACE_INVALID the fixed workspace of a kernel is wrong
ACLNN_ERR_INNER_STATIC_BLOCK_DIM_INVALID the fixed number of blocks of a kernel is wrong
"""

_GRAPH_ENGINE = """
145000 ACL_ERROR_GE_PARAM_INVALID graph engine: bad parameter
145001 ACL_ERROR_GE_EXEC_NOT_INIT graph engine: not initialised
145002 ACL_ERROR_GE_EXEC_MODEL_PATH_INVALID graph engine: bad path of a model
145003 ACL_ERROR_GE_EXEC_MODEL_ID_INVALID graph engine: no model has this id
145006 ACL_ERROR_GE_EXEC_MODEL_DATA_SIZE_INVALID graph engine: bad size of a model
145007 ACL_ERROR_GE_EXEC_MODEL_ADDR_INVALID graph engine: bad address of a model
145008 ACL_ERROR_GE_EXEC_MODEL_QUEUE_ID_INVALID graph engine: bad queue of a model
145009 ACL_ERROR_GE_EXEC_LOAD_MODEL_REPEATED graph engine: the model is loaded already
145011 ACL_ERROR_GE_DYNAMIC_INPUT_ADDR_INVALID graph engine: bad address of a dynamic input
145012 ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID graph engine: bad length of a dynamic input
145013 ACL_ERROR_GE_DYNAMIC_BATCH_SIZE_INVALID graph engine: bad dynamic batch size
145014 ACL_ERROR_GE_AIPP_BATCH_EMPTY graph engine: image preprocessing has an empty batch
145015 ACL_ERROR_GE_AIPP_NOT_EXIST graph engine: there is no image preprocessing
145016 ACL_ERROR_GE_AIPP_MODE_INVALID graph engine: bad mode of image preprocessing
145017 ACL_ERROR_GE_OP_TASK_TYPE_INVALID graph engine: bad task type of an operator
145018 ACL_ERROR_GE_OP_KERNEL_TYPE_INVALID graph engine: bad kernel type of an operator
145019 ACL_ERROR_GE_PLGMGR_PATH_INVALID graph engine: bad path of a plug-in
145020 ACL_ERROR_GE_FORMAT_INVALID graph engine: bad format
145021 ACL_ERROR_GE_SHAPE_INVALID graph engine: bad shape
145022 ACL_ERROR_GE_DATATYPE_INVALID graph engine: bad data type
245000 ACL_ERROR_GE_MEMORY_ALLOCATION graph engine: out of memory
245001 ACL_ERROR_GE_MEMORY_OPERATE_FAILED graph engine: a memory operation failed
245002 ACL_ERROR_GE_DEVICE_MEMORY_OPERATE_FAILED graph engine: a device memory operation failed
345102 ACL_ERROR_GE_SUBHEALTHY graph engine: the system is only partly healthy
345103 ACL_ERROR_GE_USER_RAISE_EXCEPTION graph engine: the user's code raised an exception
345104 ACL_ERROR_GE_DATA_NOT_ALIGNED graph engine: data is not aligned
545000 ACL_ERROR_GE_INTERNAL_ERROR graph engine: internal error
545001 ACL_ERROR_GE_LOAD_MODEL graph engine: a model cannot be loaded
545002 ACL_ERROR_GE_EXEC_LOAD_MODEL_PARTITION_FAILED graph engine: part of a model cannot be loaded
545003 ACL_ERROR_GE_EXEC_LOAD_WEIGHT_PARTITION_FAILED graph engine: weights cannot be loaded
545004 ACL_ERROR_GE_EXEC_LOAD_TASK_PARTITION_FAILED graph engine: tasks cannot be loaded
545005 ACL_ERROR_GE_EXEC_LOAD_KERNEL_PARTITION_FAILED graph engine: kernels cannot be loaded
545006 ACL_ERROR_GE_EXEC_RELEASE_MODEL_DATA graph engine: model data cannot be released
545007 ACL_ERROR_GE_COMMAND_HANDLE graph engine: a command failed
545008 ACL_ERROR_GE_GET_TENSOR_INFO graph engine: the description of a tensor is not available
545009 ACL_ERROR_GE_UNLOAD_MODEL graph engine: a model cannot be unloaded
545601 ACL_ERROR_GE_MODEL_EXECUTE_TIMEOUT graph engine: running a model took too long
545602 ACL_ERROR_GE_REDEPLOYING graph engine: a model is being deployed anew
"""
