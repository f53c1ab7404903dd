"""The binding is made from the headers and agrees with them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aclquant._ffi import declarations, ffi
from aclquant._ffi.locate import bundled

from .support import INCLUDE

GENERATOR = Path(__file__).resolve().parents[2] / "src" / "aclquant" / "_ffi" / "generate.py"
pytestmark = pytest.mark.skipif(not GENERATOR.exists(), reason="a build tool: needs the sources")


def _generate(include: Path, output: Path) -> None:
    command = [sys.executable, str(GENERATOR)]
    command += ["--include", str(include), "--output", str(output)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def _functions(folder: Path) -> tuple[dict[str, tuple[str, str]], dict[str, int]]:
    spec = importlib.util.spec_from_file_location("generated", folder / "_functions.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lines = [line.split(" ", 2) for line in module.FUNCTIONS.splitlines()]
    return {name: (header, prototype) for name, header, prototype in lines}, module.CONSTANTS


def _one_header(folder: Path, text: str) -> Path:
    include = folder / "include"
    include.mkdir()
    (include / "one.h").write_text(text)
    return include


@pytest.mark.parametrize("name", ["_types.py", "_functions.py"])
def test_binding_is_what_the_headers_give(tmp_path: Path, name: str) -> None:
    _generate(INCLUDE, tmp_path)
    assert (tmp_path / name).read_text() == Path(bundled(f"_ffi/{name}")).read_text()


def test_every_prototype_has_a_type_that_cffi_knows() -> None:
    for function in declarations.functions.values():
        assert ffi.typeof(function.pointer_type).kind == "function"


def test_each_function_has_the_type_the_c_compiler_sees(tmp_path: Path) -> None:
    """Catches a generator that loses or mangles a parameter."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    headers = sorted({function.header for function in declarations.functions.values()})
    lines = [f'#include "{header}"' for header in headers]
    for function in declarations.functions.values():
        inside = ", ".join(p.type for p in function.parameters) or "void"
        lines.append(f"typedef {function.result} type_of_{function.name}({inside});")
        lines.append(
            f"_Static_assert(__builtin_types_compatible_p(__typeof__({function.name}), "
            f'type_of_{function.name}), "{function.name}");'
        )
    for name, value in declarations.constants.items():
        lines.append(f'_Static_assert({name} == {value}LL, "{name}");')
    source = tmp_path / "types.c"
    source.write_text("\n".join(lines) + "\n")
    command = [compiler, "-std=gnu11", "-fsyntax-only", "-Wall", "-Werror", f"-I{INCLUDE}", source]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_preprocessor_keeps_what_c_keeps(tmp_path: Path) -> None:
    include = _one_header(
        tmp_path,
        """
        #ifndef ONE_H
        #define ONE_H
        /* int32_t commented(void); */
        #include <stdint.h>
        #define API __attribute__((visibility("default")))
        #define BASE 0x10
        #define ALIAS BASE
        #define NEGATIVE (-3)
        #ifdef __cplusplus
        extern "C" {
        #endif
        #if defined(NOWHERE) || !defined(BASE)
        API int32_t absent(void);
        #else
        API int32_t present(const char *text,
                            void *(*make)(int32_t, int64_t)); // tail
        #endif
        static const int CONSTANT = 7;
        API void none();
        #ifdef __cplusplus
        }
        #endif
        #endif
        """,
    )
    _generate(include, tmp_path)
    functions, constants = _functions(tmp_path)
    assert functions == {
        "present": (
            "one.h",
            "int32_t present(const char *text, void *(*make)(int32_t, int64_t))",
        ),
        "none": ("one.h", "void none(void)"),
    }
    assert constants == {"BASE": 16, "ALIAS": 16, "NEGATIVE": -3, "CONSTANT": 7}


@pytest.mark.parametrize(
    "text",
    [
        "#define TWICE(x) (2 * (x))\n",
        "int f(void)\n",
        "#if 1\nint f(void);\n",
        '#include "missing.h"\n',
        "inline int f(void) { return 1; }\n",
    ],
)
def test_what_it_does_not_understand_is_an_error(tmp_path: Path, text: str) -> None:
    include = _one_header(tmp_path, text)
    command = [sys.executable, str(GENERATOR)]
    command += ["--include", str(include), "--output", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode != 0
