"""A library that behaves as a card's: host memory is out of reach, and errors come without words.

It forwards every function of the headers to a private copy of the host device, except the host
device's own controls, and has no error text. So the paths that are taken on a real CANN run here.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from aclquant._ffi import declarations

from .support import HOST_LIBRARY, INCLUDE

_HEAD = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
{includes}
static void *target(const char *name) {{
    static void *handle;
    if (!handle) handle = dlopen("{copy}", RTLD_NOW | RTLD_LOCAL);
    if (!handle) abort();
    return dlsym(handle, name);
}}
const char *aclGetRecentErrMsg(void) {{
    const char *(*get)(void);
    *(void **)&get = target("aclGetRecentErrMsg");
    get();
    return NULL;
}}
"""

_FORWARD = """
{result} {name}({parameters}) {{
    static {result} (*function)({types});
    if (!function) *(void **)&function = target("{name}");
    return function({arguments});
}}
"""


def build(
    folder: Path, compiler: str, *, devices: int | None = None, without: str = "aclquant"
) -> Path:
    """Compile the library in `folder`; with `devices`, report this number of them.

    Functions whose names begin with `without` are left out.
    """
    copy = folder / "libprivate_host.so"
    shutil.copyfile(HOST_LIBRARY, copy)
    wanted = [
        function
        for function in declarations.functions.values()
        if not function.name.startswith(("aclquant", without))
        and function.name not in ("aclGetRecentErrMsg", "aclAppLog")
        and _has(copy, function.name)
    ]
    headers = sorted({function.header for function in wanted})
    text = _HEAD.format(includes="\n".join(f'#include "{h}"' for h in headers), copy=copy)
    for function in wanted:
        if devices is not None and function.name == "aclrtGetDeviceCount":
            text += f"aclError aclrtGetDeviceCount(uint32_t *n) {{ *n = {devices}; return 0; }}\n"
            continue
        types = [p.type for p in function.parameters]
        assert not any("(" in t for t in types), function
        names = [f"a{i}" for i in range(len(types))]
        both = [f"{t} {n}" for t, n in zip(types, names, strict=True)]
        body = _FORWARD.replace("return f", "f") if function.result == "void" else _FORWARD
        text += body.format(
            result=function.result,
            name=function.name,
            parameters=", ".join(both) or "void",
            types=", ".join(types) or "void",
            arguments=", ".join(names),
        )
    source, library = folder / "bare.c", folder / "libbare_cann.so"
    source.write_text(text)
    command = [compiler, "-std=gnu11", "-shared", "-fPIC", f"-I{INCLUDE}", str(source), "-ldl"]
    subprocess.run([*command, "-o", str(library)], check=True)
    return library


def _has(library: Path, name: str) -> bool:
    return name.encode() + b"\0" in library.read_bytes()
