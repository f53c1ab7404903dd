"""The bundled kernel package: operators in Ascend C for cards on which CANN lacks them.

The sources come with aclquant. `build` has CANN's own tools make a package of them on a machine
that has a toolkit, `install` unpacks it, and `find` tells which packages a process would use. Where
the package is installed and CANN has no such operator on the chip, aclquant's functions call it;
`aclquant.backend` says so.

The kernels have run under an emulation only: neither CANN's compiler nor a card has seen them. See
docs/ascend_kernels.md.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import errors
from ._ffi.locate import bundled, custom_operator_libraries
from .files import write_all

__all__ = [
    "CHIPS",
    "OPERATORS",
    "VENDOR",
    "Package",
    "build",
    "find",
    "install",
    "sources",
    "toolkits",
]

VENDOR = "aclquant"

CHIPS = ("ascend910b", "ascend910_93", "ascend310p")
"""Chip families the kernels are written for, as CANN's build names them."""


class _Op(NamedTuple):
    """An operator: its name in CANN's files, and the types that seed its project."""

    name: str
    inputs: tuple[tuple[str, str, bool], ...]
    outputs: tuple[tuple[str, str], ...]

    @property
    def snake(self) -> str:
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in self.name)
        return words.removeprefix("_")


_SMOOTH = (("smooth_scales", "fp16", False), ("group_index", "int32", False))

_OPS = (
    _Op(
        "AclquantDynamicQuant", (("x", "fp16", True), *_SMOOTH), (("y", "int8"), ("scale", "fp32"))
    ),
    _Op(
        "AclquantDynamicQuantAsymmetric",
        (("x", "fp16", True), *_SMOOTH),
        (("y", "int8"), ("scale", "fp32"), ("offset", "fp32")),
    ),
    _Op(
        "AclquantQuantize",
        (("x", "fp32", True), ("scales", "fp32", True), ("zero_points", "int32", False)),
        (("y", "int8"),),
    ),
    _Op(
        "AclquantAscendQuant",
        (("x", "fp32", True), ("scale", "fp32", True), ("offset", "fp32", False)),
        (("y", "int8"),),
    ),
    _Op(
        "AclquantAntiQuant",
        (("x", "int8", True), ("scale", "fp32", True), ("offset", "fp32", False)),
        (("y", "fp16"),),
    ),
    _Op(
        "AclquantTransQuantParam",
        (("scale", "fp32", True), ("offset", "fp32", False)),
        (("y", "int64"),),
    ),
)

OPERATORS = tuple(op.name for op in _OPS)
"""Names of the operators; ``aclnn`` before them gives the C functions of ``aclquant/kernels.h``."""


class Package(NamedTuple):
    """An installed kernel package."""

    library: str
    """Path of its ``libcust_opapi.so``."""
    how: str
    """Where it was found: ASCEND_CUSTOM_OPP_PATH or a vendor of the installation."""
    operators: tuple[str, ...]
    """Which of `OPERATORS` it has headers for."""


def sources() -> Path:
    """Return the folder with the kernels' sources, a folder for each operator.

    Examples
    --------
    >>> from aclquant import kernels
    >>> (kernels.sources() / "aclquant_dynamic_quant" / "op_kernel").is_dir()
    True
    """
    checkout = Path(__file__).resolve().parents[2] / "ascend_kernels" / "npu"
    for folder in (checkout, Path(bundled("_kernels"))):  # what was installed may be older
        if folder.is_dir():
            return folder
    raise errors.LibraryNotFoundError(
        f"the kernels' sources are not at {bundled('_kernels')}",
        function="aclquant.kernels.sources",
    )


def toolkits() -> list[Path]:
    """Return the places of a CANN toolkit that exist, in the order they are tried.

    ``$ASCEND_HOME_PATH``, ``$ASCEND_TOOLKIT_HOME``, then the default installations.
    """
    named = [os.environ.get("ASCEND_HOME_PATH"), os.environ.get("ASCEND_TOOLKIT_HOME")]
    default = ["/usr/local/Ascend/cann", "/usr/local/Ascend/ascend-toolkit/latest"]
    return [Path(place) for place in [*named, *default] if place and Path(place).is_dir()]


def find() -> list[Package]:
    """Return the installed packages that have operators of ours, the one used first.

    Returns
    -------
    list of Package
        In the order in which CANN, torch_npu and aclquant look them up.

    Examples
    --------
    >>> from aclquant import kernels
    >>> kernels.find()
    []
    """
    found = []
    for place in custom_operator_libraries():
        headers = Path(place.path).parent.parent / "include"
        operators = tuple(op.name for op in _OPS if (headers / f"aclnn_{op.snake}.h").is_file())
        if operators:
            found.append(Package(place.path, place.how, operators))
    return found


def build(
    output: str | os.PathLike[str],
    *,
    toolkit: str | os.PathLike[str] | None = None,
    chips: Sequence[str] = CHIPS,
    log: Callable[[str], None] | None = None,
) -> Path:
    """Build the package with CANN's tools.

    Parameters
    ----------
    output : path
        Folder for the project and the package; made if it does not exist. What an earlier build
        left in ``output/custom_op`` is replaced.
    toolkit : path, optional
        The CANN toolkit; by default the first of `toolkits`.
    chips : sequence of str, optional
        Which of `CHIPS` to compile for.
    log : callable, optional
        Gets one line of text for each step.

    Returns
    -------
    pathlib.Path
        The installable ``custom_opp_*.run``.

    Raises
    ------
    LibraryNotFoundError
        When there is no toolkit, or it has no ``set_env.sh``.
    ParameterError
        When a chip is not known.
    RuntimeError
        When one of CANN's tools fails; with its last line, and where all of its output is.

    Notes
    -----
    The toolkit's ``msopgen`` makes an empty project, so that CMake files and scripts are those of
    its version; our sources replace the generated ones, ``CMakePresets.json`` gets our vendor name
    and chips, and the project's ``build.sh`` does the rest. This has been tried with a stand-in
    for the toolkit only.
    """
    say = log or (lambda line: None)
    unknown = [chip for chip in chips if chip not in CHIPS]
    if unknown or not chips:
        raise errors.ParameterError(
            function="aclquant.kernels.build",
            argument="chips",
            got=repr(unknown[0]) if unknown else "none",
            allowed=", ".join(CHIPS),
        )
    root = _toolkit(toolkit)
    environment = _set_env(root)
    folder = Path(output).absolute()
    project = folder / "custom_op"
    folder.mkdir(parents=True, exist_ok=True)
    if project.exists():
        shutil.rmtree(project)
    description = folder / "ops.json"
    write_all(description, f"{json.dumps(_description(), indent=2)}\n".encode(), replace=True)
    say(f"msopgen gen, project {project}")
    _run(
        environment,
        [
            *("msopgen", "gen", "-i", description, "-f", "tf"),
            *("-c", "ai_core-Ascend910B1", "-lan", "cpp", "-out", project),
        ],
        folder,
        folder / "msopgen.log",
    )
    _replace_sources(project)
    _set_presets(project / "CMakePresets.json", root, chips)
    say(f"build.sh for {', '.join(chips)}")
    _run(environment, ["bash", "./build.sh"], project, folder / "build.log")
    packages = sorted((project / "build_out").glob("custom_opp_*.run"))
    if not packages:
        raise RuntimeError(
            f"build.sh left no custom_opp_*.run in {project / 'build_out'}; "
            f"its output is in {folder / 'build.log'}"
        )
    return packages[-1]


def install(package: str | os.PathLike[str], prefix: str | os.PathLike[str]) -> dict[str, str]:
    """Install a package that `build` has made into a folder; nothing else on the machine changes.

    Parameters
    ----------
    package : path
        The ``custom_opp_*.run``.
    prefix : path
        The package goes to ``prefix/vendors/aclquant``.

    Returns
    -------
    dict
        The variables with which programs find it: ``ASCEND_CUSTOM_OPP_PATH``, with what was set
        before behind the new entry.

    Raises
    ------
    FileNotFoundError
        When there is no such package.
    RuntimeError
        When the installer fails, or leaves no ``libcust_opapi.so``.
    """
    run = Path(package).absolute()
    if not run.is_file():
        raise FileNotFoundError(2, "no such package", str(run))
    target = Path(prefix).absolute()
    target.mkdir(parents=True, exist_ok=True)
    _run(None, ["bash", run, f"--install-path={target}"], target, target / "install.log")
    vendor = target / "vendors" / VENDOR
    if not (vendor / "op_api" / "lib" / "libcust_opapi.so").is_file():
        raise RuntimeError(f"the installer left no op_api/lib/libcust_opapi.so in {vendor}")
    before = [
        entry
        for entry in os.environ.get("ASCEND_CUSTOM_OPP_PATH", "").split(":")
        if entry and entry != str(vendor)
    ]
    return {"ASCEND_CUSTOM_OPP_PATH": ":".join([str(vendor), *before])}


def _toolkit(given: str | os.PathLike[str] | None) -> Path:
    places = [Path(given)] if given is not None else toolkits()
    if not places or not places[0].is_dir():
        tried = str(given) if given is not None else "ASCEND_HOME_PATH and the default places"
        raise errors.LibraryNotFoundError(
            f"no CANN toolkit at {tried}", function="aclquant.kernels.build"
        )
    return places[0].absolute()


def _set_env(root: Path) -> Path:
    candidates = [root / "set_env.sh", root.parent / "set_env.sh", root / "bin" / "setenv.bash"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise errors.LibraryNotFoundError(
        f"the toolkit {root} has no set_env.sh",
        function="aclquant.kernels.build",
        detail="\n".join(["places tried, in order:", *(f"  {c}" for c in candidates)]),
    )


def _description() -> list[dict[str, Any]]:
    """Return what msopgen makes an empty project from."""

    def described(name: str, kind: str, required: bool = True) -> dict[str, Any]:
        need = "required" if required else "optional"
        return {"name": name, "param_type": need, "format": ["ND"], "type": [kind]}

    return [
        {
            "op": op.name,
            "language": "cpp",
            "input_desc": [described(*entry) for entry in op.inputs],
            "output_desc": [described(*entry) for entry in op.outputs],
        }
        for op in _OPS
    ]


def _replace_sources(project: Path) -> None:
    """Put our files where msopgen has put empty ones; CMake files stay the toolkit's."""
    ours = sources()
    for side in ("op_host", "op_kernel"):
        folder = project / side
        if not folder.is_dir():
            raise RuntimeError(f"msopgen made no folder {folder}")
        for generated in [*folder.glob("*.cpp"), *folder.glob("*.h")]:
            generated.unlink()
        for file in sorted(ours.glob(f"*/{side}/*")):
            shutil.copy(file, folder)
    for file in sorted((ours / "common").glob("*.h")):
        side = "op_host" if file.name.endswith("_op.h") else "op_kernel"
        shutil.copy(file, project / side)


def _set_presets(path: Path, root: Path, chips: Iterable[str]) -> None:
    presets = json.loads(path.read_text(encoding="utf-8"))
    wanted = dict(
        vendor_name=VENDOR,
        ASCEND_COMPUTE_UNIT=";".join(chips),
        ASCEND_CANN_PACKAGE_PATH=str(root),
    )
    for preset in presets["configurePresets"]:
        variables = preset.setdefault("cacheVariables", {})
        for name, value in wanted.items():
            entry = variables.get(name)
            if isinstance(entry, dict):
                entry["value"] = value
            else:
                variables[name] = value
    write_all(path, f"{json.dumps(presets, indent=4)}\n".encode(), replace=True)


def _run(environment: Path | None, command: Sequence[object], folder: Path, log: Path) -> None:
    """Run a tool in the toolkit's environment; its output goes into a file."""
    words = shlex.join(str(word) for word in command)
    script = words if environment is None else f"source {shlex.quote(str(environment))} && {words}"
    with open(log, "w", encoding="utf-8") as file:
        file.write(f"$ {words}\n")
        file.flush()
        done = subprocess.run(
            ["bash", "-c", script], cwd=folder, stdout=file, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise RuntimeError(
            f"{command[0]} ended with status {done.returncode}: '{lines[-1]}'; "
            f"all it wrote is in {log}"
        )
