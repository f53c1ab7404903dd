"""What to do about a status code: usual causes and the next step, for every code there is.

Numbers, names and meanings are in `aclquant.codes`; here stands only the advice, by name where a
code has its own, else by the family of its number.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import errors
from ..codes import all_codes, as_number, explanations

__all__ = ["Explanation", "look_up"]


@dataclass(frozen=True)
class Explanation:
    """A status code explained.

    Attributes
    ----------
    code : int
        The number.
    name : str
        The name in the headers.
    meaning : str
        One line.
    causes : list of str
        What usually leads to it.
    steps : list of str
        What to do.
    """

    code: int
    name: str
    meaning: str
    causes: list[str]
    steps: list[str]

    def __str__(self) -> str:
        lines = [f"{self.code} {self.name}", f"  {self.meaning}"]
        if self.causes:
            lines += ["usual causes:", *(f"  - {cause}" for cause in self.causes)]
        if self.steps:
            lines += ["what to do:", *(f"  - {step}" for step in self.steps)]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Return plain data, ready for JSON."""
        return dict(vars(self))


_RECORD = "aclquant record -o DIR -- PROGRAM keeps the call with its tensors; aclquant replay DIR --emit c makes the reproducer"
_SYNC = "run with ACLQUANT_SYNC=1 aclquant trace -- PROGRAM: the call that caused it then answers with this code"
_SENTENCE = "read the sentence of aclGetRecentErrMsg: aclquant trace -- PROGRAM prints it under the call, on any backend"
_DOCTOR = (
    "aclquant doctor shows libraries, versions and environment variables that do not fit together"
)
_TRACE = "aclquant trace -- PROGRAM shows the calls before it"
_NEEDS = "aclquant needs PROGRAM lists the names that the chosen backend does not have"
_PLOG = "read the newest file in ~/ascend/log/debug/plog: the driver's words are there only"

# name: (causes, steps), each separated by "|"
_BY_NAME: dict[str, tuple[str, str]] = {
    "ACL_SUCCESS": ("", ""),
    "ACLNN_SUCCESS": ("", ""),
    "ACL_ERROR_NONE": ("", ""),
    "ACLNN_ERR_PARAM_NULLPTR": (
        "a mandatory tensor, list or result pointer of phase 1 is null|aclCreateTensor failed before, and its null was passed on",
        f"{_SENTENCE}|look for the aclCreate... call that returned null",
    ),
    "ACLNN_ERR_PARAM_INVALID": (
        "a dtype that the operator does not take on this chip, such as float16 scales|a rank or shape that does not fit the others|"
        "an attribute outside its set of values",
        f"{_SENTENCE}|aclquant op NAME prints the types and shapes that are allowed|{_RECORD}",
    ),
    "ACLNN_ERR_RUNTIME_ERROR": (
        "no device is set in this thread|an earlier call failed and the device is in an error state",
        f"call aclrtSetDevice in the thread that makes the call|{_TRACE}",
    ),
    "ACLNN_ERR_INNER": (
        "the operator exists but refuses this chip, such as a newer version on an older product|CANN is older than the program expects",
        f"aclquant op NAME shows the chips|{_DOCTOR}",
    ),
    "ACLNN_ERR_INNER_TILING_ERROR": (
        "shapes that the kernel cannot divide among the cores|a custom operator whose tiling function failed|mixed versions of toolkit and operator package",
        f"{_RECORD}|{_DOCTOR}",
    ),
    "ACLNN_ERR_INNER_NULLPTR": (
        "the kernel package for this chip is not installed|driver and toolkit have different versions|a shape that only the kernel refuses",
        f"{_DOCTOR}|install the kernels package for your chip (Ascend-cann-kernels-...)|{_RECORD}",
    ),
    "ACLNN_ERR_INNER_FIND_KERNEL_ERROR": (
        "no kernel for these types on this chip|the kernel package is not installed",
        f"aclquant op NAME shows the types per chip|{_DOCTOR}",
    ),
    "ACLNN_ERR_INNER_OPP_PATH_NOT_FOUND": (
        "set_env.sh of CANN was not sourced",
        f"source $ASCEND_HOME_PATH/set_env.sh|{_DOCTOR}",
    ),
    "ACLNN_ERR_INNER_OPP_KERNEL_PKG_NOT_FOUND": (
        "the package of kernels for this chip is not installed",
        f"install Ascend-cann-kernels for your chip|{_DOCTOR}",
    ),
    "ACL_ERROR_INVALID_PARAM": (
        "a null pointer, a size of zero, or a number outside its enumeration",
        f"{_SENTENCE}",
    ),
    "ACL_ERROR_UNINITIALIZE": (
        "aclInit was not called, or aclFinalize was",
        "call aclInit once per process, first",
    ),
    "ACL_ERROR_REPEAT_INITIALIZE": (
        "another part of the process, such as torch_npu, initialised it before",
        "take it as success",
    ),
    "ACL_ERROR_RT_PARAM_INVALID": (
        "the kind of a copy does not fit its addresses|an address that belongs to no allocation|a size above the allocation's",
        f"{_SENTENCE}|{_TRACE}: pointers and sizes are in its lines",
    ),
    "ACL_ERROR_RT_CONTEXT_NULL": (
        "aclrtSetDevice was not called in this thread: the current device belongs to a thread",
        "call aclrtSetDevice (or aclrtSetCurrentContext) at the start of each thread",
    ),
    "ACL_ERROR_RT_STREAM_CAPTURED": (
        "a call that waits, such as a synchronous copy or an .item() in Python, while the stream is captured into a graph",
        f"{_TRACE}: the line with this code is the forbidden call|move it in front of the capture",
    ),
    "ACL_ERROR_RT_STREAM_UNJOINED": (
        "a side stream was not joined back before the capture ended",
        f"record an event on each side stream and let the captured stream wait for it|{_TRACE}",
    ),
    "ACL_ERROR_RT_CAPTURE_MODE_NOT_SUPPORT": (
        "a synchronous copy or an allocation during capture, often only when memory is short",
        f"{_TRACE}: the line with this code is the forbidden call|allocate and copy before the capture",
    ),
    "ACL_ERROR_RT_STREAM_CAPTURE_UNMATCHED": (
        "the capture was begun on another stream than it is ended on",
        f"{_TRACE}: compare the streams of CaptureBegin and CaptureEnd",
    ),
    "ACL_ERROR_STREAM_TASK_GROUP_STATUS": (
        "a task group that was begun and not ended when the capture ended, or updated before it was recorded",
        f"{_TRACE}: pair each ...TaskGrpBegin with its End, on the same stream",
    ),
    "ACL_ERROR_RT_STREAM_NOT_CAPTURED": ("the capture was never begun, or has ended", _TRACE),
    "ACL_ERROR_RT_STREAM_CAPTURE_INVALIDATED": (
        "a forbidden call during the capture, which was refused earlier",
        f"{_TRACE}: look for the first failing call since CaptureBegin",
    ),
    "ACL_ERROR_RT_MEMORY_ALLOCATION": (
        "the device is full|a size computed wrongly, such as one of 32 bits that overflowed",
        f"{_TRACE} and look at the size of aclrtMalloc|aclrtGetMemInfo tells what is free",
    ),
    "ACL_ERROR_RT_FEATURE_NOT_SUPPORT": ("driver or chip does not have the feature", _DOCTOR),
    "ACL_ERROR_RT_AICORE_EXCEPTION": (
        "a kernel read or wrote outside its memory: a tensor whose sizes or strides reach too far, or memory freed too early|"
        "workspace that was freed or reused before the work had run|an error of the kernel for these shapes",
        f"{_SYNC}|{_RECORD}: replayed on the host device it names the argument and the allocation|{_PLOG}",
    ),
    "ACL_ERROR_RT_VECTOR_CORE_EXCEPTION": (
        "a kernel read or wrote outside its memory|a tensor sized in elements where bytes were meant, or the reverse",
        f"{_SYNC}|{_RECORD}: replayed on the host device it names the argument and the allocation|{_PLOG}",
    ),
    "ACL_ERROR_RT_AICPU_EXCEPTION": ("an operator on the AI CPU failed", f"{_SYNC}|{_PLOG}"),
    "ACL_ERROR_RT_STREAM_SYNC_TIMEOUT": (
        "work in front never ends: a wait for an event that is not recorded|a very long kernel",
        f"{_TRACE}: look for a StreamWaitEvent whose event is not recorded",
    ),
    "ACL_ERROR_RT_DEVICE_TASK_ABORT": ("another thread aborted the device's work", _TRACE),
    "ACL_ERROR_RT_NO_DEVICE": (
        "no driver, or the container was not given a card",
        f"{_DOCTOR}|npu-smi info",
    ),
    "ACL_ERROR_RT_INVALID_DEVICEID": (
        "ASCEND_RT_VISIBLE_DEVICES hides cards: ids count the visible ones",
        _DOCTOR,
    ),
    "ACL_ERROR_INTERNAL_ERROR": (
        "aclInit cannot tell the chip: no driver|a Python package that CANN's compiler needs is missing, or NumPy 2 with CANN before 8.3",
        f"{_DOCTOR}|{_PLOG}",
    ),
    "ACL_ERROR_GE_FAILURE": (
        "the operator is compiled at run time and the compiler failed: a missing Python package, NumPy 2 with an older CANN",
        f"{_DOCTOR}|{_PLOG}",
    ),
}

# (first, last number): (causes, steps)
_BY_NUMBER: list[tuple[int, int, tuple[str, str]]] = [
    (100000, 106999, ("a wrong argument, file or order of calls", f"{_SENTENCE}|{_TRACE}")),
    (
        107000,
        107999,
        ("a wrong argument, handle or order of calls of the runtime", f"{_SENTENCE}|{_TRACE}"),
    ),
    (145000, 145999, ("a wrong argument of the graph engine", f"{_TRACE}|{_PLOG}")),
    (148000, 149999, ("a wrong argument of a library beside the runtime", _SENTENCE)),
    (161000, 161999, ("a wrong argument of an operator", f"{_SENTENCE}|{_RECORD}")),
    (
        200000,
        206999,
        ("a resource or feature that this device does not have", f"{_SENTENCE}|{_DOCTOR}"),
    ),
    (
        207000,
        207999,
        (
            "a resource or feature that this device or driver does not have",
            f"{_SENTENCE}|{_DOCTOR}",
        ),
    ),
    (245000, 245999, ("the graph engine is out of memory", _TRACE)),
    (300000, 399999, ("the runtime below an operator failed", f"{_TRACE}|{_SENTENCE}")),
    (500000, 506999, ("toolkit, driver and packages do not fit together", f"{_DOCTOR}|{_PLOG}")),
    (
        507000,
        507999,
        ("work that was accepted before went wrong on the device", f"{_SYNC}|{_RECORD}|{_PLOG}"),
    ),
    (545000, 545999, ("the graph engine failed", f"{_DOCTOR}|{_PLOG}")),
    (
        561000,
        561999,
        (
            "the operator's description or kernel for this chip is missing or does not fit",
            f"{_DOCTOR}|{_NEEDS}|{_RECORD}",
        ),
    ),
]
_OTHERS = ("", f"{_TRACE}|{_PLOG}")


def look_up(what: str | int) -> list[Explanation]:
    """Explain a code by number, by name, or by a part of a name.

    Parameters
    ----------
    what : str or int
        ``161002``, ``"0x274EA"``, ``"ACL_ERROR_RT_CONTEXT_NULL"``, ``"context_null"``.

    Returns
    -------
    list of Explanation
        One for a number or a whole name, several for a part of names.

    Raises
    ------
    ParameterError
        When there is no such code; near names are in the text.

    Examples
    --------
    >>> look_up(107002)[0].name
    'ACL_ERROR_RT_CONTEXT_NULL'
    """
    codes = all_codes()
    text = str(what).strip().upper()
    number = as_number(text)
    if number is not None:
        found = {name: code for name, code in codes.items() if code == number}
        found = dict(list(found.items())[:1])
    elif text in codes:
        found = {text: codes[text]}
    else:
        found = {name: code for name, code in codes.items() if text and text in name}
    if not found:
        from difflib import get_close_matches

        near = get_close_matches(text, codes, n=3, cutoff=0.6)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        decimal = f" ({number})" if number is not None and str(number) != text else ""
        raise errors.ParameterError(
            f"{what}{decimal}: not a code that aclquant knows{hint}", function="aclquant explain"
        )
    return [_explain(name, code) for name, code in found.items()]


def _explain(name: str, code: int) -> Explanation:
    causes, steps = _BY_NAME.get(name) or next(
        (advice for first, last, advice in _BY_NUMBER if first <= code <= last), _OTHERS
    )
    return Explanation(
        code,
        name,
        explanations()[name],
        [cause for cause in causes.split("|") if cause],
        [step for step in steps.split("|") if step],
    )
