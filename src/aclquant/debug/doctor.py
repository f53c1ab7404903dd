"""Is this installation sound? Libraries, driver, variables, packages, and a smoke test."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import errors
from .._ffi import locate
from .._ffi.library import Library

__all__ = ["Check", "Report", "doctor"]

_ROOT = Path("/usr/local/Ascend")
_SONAMES = (
    *locate.RUNTIME,
    *locate.META,
    *(name for group in locate.OPERATORS for name in group),
    *locate.FEATURES,
    "libhccl.so",
)
_STATES = ("ok", "info", "warning", "fault")


@dataclass(frozen=True)
class Check:
    """One finding: its area, its state (ok, info, warning, fault), and a sentence."""

    area: str
    state: str
    text: str

    def __str__(self) -> str:
        mark = {"ok": "ok     ", "info": "       ", "warning": "WARNING", "fault": "FAULT  "}
        return f"{mark[self.state]} {self.area:12} {self.text}"


@dataclass
class Report:
    """All findings.

    Examples
    --------
    >>> import aclquant as aq
    >>> report = aq.debug.doctor(backend="host")
    >>> report.healthy
    True
    """

    checks: list[Check] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether nothing is at fault; warnings do not count."""
        return all(check.state != "fault" for check in self.checks)

    def add(self, area: str, state: str, text: str) -> None:
        """Add a finding."""
        self.checks.append(Check(area, state, text))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        rows = [vars(check) for check in self.checks]
        return {"healthy": self.healthy, "checks": rows, **self.facts}

    def __str__(self) -> str:
        end = "healthy" if self.healthy else "not healthy: see the lines marked FAULT"
        return "\n".join([*map(str, self.checks), end])


def doctor(*, backend: str = "") -> Report:
    """Look at everything that a call depends on.

    Parameters
    ----------
    backend : str, optional
        "host", "cann", "auto" or a path; by default what a call would use.

    Returns
    -------
    Report
        `Report.healthy` is the answer, ``str(report)`` the findings.
    """
    report = Report()
    _versions(report)
    _variables(report)
    _libraries(report)
    _driver(report)
    _custom_operators(report)
    library = _backend(report, backend)
    if library is not None:
        _smoke(report, library)
    return report


def _versions(report: Report) -> None:
    from .. import __version__

    found = {"python": platform.python_version(), "aclquant": __version__}
    for name in ("numpy", "cffi", "ml_dtypes"):
        found[name] = metadata.version(name)
    report.facts["versions"] = found
    report.add("versions", "info", ", ".join(f"{k} {v}" for k, v in found.items()))
    for name, least in (("numpy", (1, 26)), ("cffi", (1, 16)), ("ml_dtypes", (0, 4))):
        if _numbers(found[name]) < least:
            wanted = ".".join(map(str, least))
            report.add("versions", "fault", f"{name} {found[name]} is older than {wanted}")
    if _numbers(found["numpy"]) >= (2, 0) and _numbers(found["ml_dtypes"]) < (0, 5):
        report.add("versions", "warning", "ml_dtypes before 0.5 was built for NumPy 1: upgrade it")
    if sys.version_info >= (3, 13) and _numbers(found["cffi"]) < (1, 17):
        report.add("versions", "fault", "cffi before 1.17 does not run on Python 3.13")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:2])


def _variables(report: Report) -> None:
    from .. import settings

    get = os.environ.get
    interesting = sorted(
        name for name in os.environ if re.match(r"ASCEND_|ACL_|ACLQUANT_|HCCL_|LD_PRELOAD$", name)
    )
    report.facts["environment"] = {name: os.environ[name] for name in interesting}
    for problem in settings.problems():
        report.add("environment", "fault", problem)
    for name in ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME"):
        root = get(name)
        if root and not Path(root).is_dir():
            report.add("environment", "fault", f"{name} is {root}, which does not exist")
        elif root and not (Path(root) / "lib64").is_dir():
            report.add("environment", "warning", f"{name} is {root}, which has no lib64")
    home, toolkit = get("ASCEND_HOME_PATH"), get("ASCEND_TOOLKIT_HOME")
    if home and toolkit and os.path.realpath(home) != os.path.realpath(toolkit):
        report.add(
            "environment",
            "warning",
            f"ASCEND_HOME_PATH ({home}) and ASCEND_TOOLKIT_HOME ({toolkit}) name two "
            "installations; the first is used",
        )
    opp = get("ASCEND_OPP_PATH")
    if opp and not Path(opp).is_dir():
        report.add("environment", "fault", f"ASCEND_OPP_PATH is {opp}, which does not exist")
    if home and not opp:
        report.add(
            "environment",
            "warning",
            "ASCEND_HOME_PATH is set and ASCEND_OPP_PATH is not: source set_env.sh, else operators "
            "answer 561107",
        )
    for entry in filter(None, get("ASCEND_CUSTOM_OPP_PATH", "").split(":")):
        if not Path(entry).is_dir():
            report.add(
                "environment",
                "warning",
                f"ASCEND_CUSTOM_OPP_PATH names {entry}, which does not exist",
            )
    stubs = [entry for entry in _search_path() if locate.is_stub(entry + "/x")]
    for entry in stubs:
        report.add(
            "environment",
            "fault",
            f"LD_LIBRARY_PATH has {entry}: its libraries are stubs for linking",
        )
    for name in ("ASCEND_RT_VISIBLE_DEVICES", "ASCEND_VISIBLE_DEVICES"):
        value = get(name)
        if value and not re.fullmatch(r"\d+([,-]\d+)*", value):
            report.add("environment", "fault", f"{name} is '{value}'; allowed: numbers, 0,1 or 0-3")
    if get("ASCEND_LAUNCH_BLOCKING") == "1":
        report.add(
            "environment", "info", "ASCEND_LAUNCH_BLOCKING=1: torch_npu waits for each launch"
        )


def _search_path() -> list[str]:
    return [entry for entry in os.environ.get("LD_LIBRARY_PATH", "").split(":") if entry]


def _libraries(report: Report) -> None:
    """List each place that has a library; the first is what programs get."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in _SONAMES:
        for folder, how in _folders():
            path = Path(folder) / name
            if path.is_symlink() and not path.exists():
                report.add("libraries", "fault", f"{path} is a broken link to {os.readlink(path)}")
            elif path.exists():
                real = os.path.realpath(path)
                rows = found.setdefault(name, [])
                if all(row["real_path"] != real for row in rows):
                    rows.append(
                        {
                            "path": str(path),
                            "real_path": real,
                            "how": how,
                            "stub": locate.is_stub(real),
                            "version": _version_near(Path(real)),
                        }
                    )
    report.facts["libraries"] = found
    if not found:
        report.add("libraries", "info", "no library of CANN is installed")
    for name, rows in found.items():
        first, *others = rows
        version = f", version {first['version']}" if first["version"] else ""
        state = "fault" if first["stub"] else "info"
        stub = ", a stub that does nothing at run time" if first["stub"] else ""
        report.add(
            "libraries", state, f"{name}: {first['real_path']} ({first['how']}{version}{stub})"
        )
        for row in others:
            report.add(
                "libraries",
                "warning",
                f"{name}: {row['real_path']} ({row['how']}) is shadowed by the one above",
            )
    versions = {rows[0]["version"] for rows in found.values() if rows[0]["version"]}
    if len(versions) > 1:
        report.add(
            "libraries",
            "fault",
            f"libraries of several versions are mixed: {', '.join(sorted(versions))}",
        )


def _folders() -> Iterator[tuple[str, str]]:
    for entry in _search_path():
        yield entry, "LD_LIBRARY_PATH"
    for place in locate.places("cann"):
        if place.path:
            yield place.path, place.how


def _version_near(library: Path) -> str:
    for folder in list(library.parents)[:4]:
        for name in ("ascend_toolkit_install.info", "version.info", "version.cfg"):
            for path in (folder / name, *folder.glob(f"*-linux/{name}")):
                try:
                    match = re.search(r"(?im)^\s*version\s*=\s*([\w.]+)", path.read_text())
                except (OSError, UnicodeDecodeError):
                    continue
                if match:
                    return match[1]
    return ""


def _driver(report: Report) -> None:
    nodes = sorted(str(p) for p in Path("/dev").glob("davinci[0-9]*"))
    report.facts["device_nodes"] = nodes
    version = _version_near(_ROOT / "driver" / "lib64" / "x")
    report.facts["driver"] = version
    if not nodes and not version:
        report.add("driver", "info", "no driver and no card: the host device is what there is")
        return
    report.add("driver", "info", f"driver {version or 'of unknown version'}, {len(nodes)} card(s)")
    if nodes and not Path("/dev/davinci_manager").exists():
        report.add(
            "driver",
            "fault",
            "/dev/davinci_manager is missing: the container lacks --device=/dev/davinci_manager",
        )
    for node in nodes:
        if not os.access(node, os.R_OK | os.W_OK):
            report.add("driver", "fault", f"{node} cannot be opened: this user is not in its group")
    if version and not nodes:
        report.add("driver", "warning", "a driver is installed and /dev has no davinci device")


def _custom_operators(report: Report) -> None:
    rows = [{"path": place.path, "how": place.how} for place in locate.custom_operator_libraries()]
    report.facts["custom_operators"] = rows
    for number, row in enumerate(rows, 1):
        report.add("operators", "info", f"custom package {number}: {row['path']} ({row['how']})")
    vendors = Path(os.environ.get("ASCEND_OPP_PATH", "/nonexistent")) / "vendors"
    named = {os.path.realpath(row["path"]) for row in rows}
    for path in sorted(vendors.glob("*/op_api/lib/libcust_opapi.so")):
        if os.path.realpath(path) not in named:
            report.add(
                "operators",
                "warning",
                f"{path} is not used: load_priority in {vendors}/config.ini does not name it",
            )


def _backend(report: Report, backend: str) -> Library | None:
    from .. import backends

    try:
        if backend:
            backends.use_backend(backend)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about variables, which have separate lines here
            active = backends.backend()
        described = active.describe()
    except errors.AclError as error:
        report.add("backend", "fault", str(error).replace("\n", "; "))
        return None
    report.facts["backend"] = described
    version = active.version
    report.add(
        "backend",
        "ok",
        f"{active.name}: {active.soc}, CANN {version or 'unknown'}, "
        f"{described['devices']} device(s)",
    )
    kernels = active.kernels
    if kernels is not None:
        report.add(
            "backend",
            "info",
            f"kernels: {kernels['isa']} of {kernels['usable']}, {kernels['threads']} thread(s)",
        )
    numpy = report.facts["versions"]["numpy"]
    if (
        active.name == "cann"
        and _numbers(numpy) >= (2, 0)
        and version
        and _numbers(version) < (8, 3)
    ):
        report.add(
            "versions",
            "fault",
            f"NumPy {numpy} with CANN {version}: operators compiled at run time answer "
            "500001; pip install 'numpy<2'",
        )
    if not described["devices"]:
        report.add("backend", "fault", "no device is visible")
        return None
    return active.library


def _smoke(report: Report, library: Library) -> None:
    """Run each operator on the backend, recorded, and again on the host device."""
    import numpy as np

    from .replay import replay
    from .session import record

    calls = _smoke_calls()
    for name, run in calls.items():
        with tempfile.TemporaryDirectory(prefix="aclquant-doctor-") as folder:
            try:
                with record(folder) as recording, np.errstate(all="ignore"):
                    run()
                results = (
                    replay(recording, backend="host") if not library.has("aclquantVersion") else []
                )
                wrong = [str(o) for r in results for o in r.outputs if not o.comparison.identical]
                skipped = [r.skipped for r in results if r.skipped]
            except (errors.AclError, AssertionError) as error:
                report.add(
                    "smoke test",
                    "fault",
                    f"{name}: {str(error).splitlines()[-1] if str(error) else 'wrong values'}",
                )
                continue
        if wrong:
            report.add(
                "smoke test", "fault", f"{name} differs from the host device: {'; '.join(wrong)}"
            )
        elif skipped:
            report.add("smoke test", "warning", f"{name}: {skipped[0]}")
        else:
            report.add("smoke test", "ok", name)


def _smoke_calls() -> dict[str, Callable[[], None]]:
    """Return calls with known answers: ties, saturation, a type for each operator."""
    import numpy as np

    from .. import ops

    x = np.array([[0.5, 1.5, 2.5, -0.5, -1.5, 300, -300, 0]], np.float32)

    def quantize() -> None:
        got = ops.quantize(x, 1.0)
        assert got.tolist() == [[0, 2, 2, 0, -2, 127, -128, 0]], got

    def anti_quant() -> None:
        got = ops.anti_quant(
            np.array([[-128, 0, 127]], np.int8), np.array([0.5, 0.5, 0.5], np.float32)
        )
        assert got.astype(np.float32).tolist() == [[-64, 0, 63.5]], got

    def dynamic_quant() -> None:
        y, scale = ops.dynamic_quant(np.array([[1, -2, 127, 0]], np.float16))
        assert y.tolist() == [[1, -2, 127, 0]] and scale.tolist() == [1.0], (y, scale)

    def quant_matmul() -> None:
        a, b = np.ones((16, 32), np.int8), np.ones((32, 16), np.int8)
        got = ops.quant_matmul(a, b, np.array([0.25], np.float32), output_dtype="float16")
        assert (got.astype(np.float32) == 8).all(), got

    return {
        "quantize": quantize,
        "anti_quant": anti_quant,
        "dynamic_quant": dynamic_quant,
        "quant_matmul": quant_matmul,
    }
