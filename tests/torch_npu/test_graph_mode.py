"""Graph mode, torch.compile with torchair: the documents' examples, and the bits of aclquant's own functions."""

# ruff: noqa: E501  (programs as texts)
from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from aclquant._ffi.locate import bundled

Run = Callable[..., str]


def _missing(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is None
    except ModuleNotFoundError:
        return True


pytestmark = [
    pytest.mark.skipif(_missing(name), reason=f"torchair needs {name}, which is not installed")
    for name in ("packaging", "google.protobuf")
]

START = """
    import numpy as np, torch, torch_npu
    import torchair as tng
    from torchair.configs.compiler_config import CompilerConfig
    import aclquant as aq

    torch.manual_seed(1)

    def graph(function, **options):
        torch._dynamo.reset()
        backend = tng.get_npu_backend(compiler_config=CompilerConfig())
        return torch.compile(function, backend=backend, fullgraph=True, **options)

    def same(got, expected):
        many = isinstance(got, tuple)
        for one, other in zip(got if many else [got], expected if many else [expected], strict=True):
            if isinstance(other, np.ndarray) and other.dtype == aq.bfloat16.numpy:
                other = torch.as_tensor(other.view(np.int16)).view(torch.bfloat16)
            assert one.is_npu
            one, other = one.cpu(), torch.as_tensor(other)
            assert one.dtype == other.dtype and one.shape == other.shape, (one, other)
            width = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[one.element_size()]
            assert torch.equal(one.view(width), other.view(width)), (one, other)

    def raises(words, function, *arguments):
        try:
            function(*arguments)
        except RuntimeError as error:
            assert all(word in str(error) for word in words), error
        else:
            raise AssertionError("no error")
"""

DOCUMENTS = """
    # npu_anti_quant
    x, scale, offset = torch.tensor([1, 2, 3, 4], dtype=torch.int8).npu(), torch.tensor([2.0]).npu(), torch.tensor([2.0]).npu()

    class AntiQuant(torch.nn.Module):
        def forward(self, x, scale, offset):
            return torch_npu.npu_anti_quant(x, scale, offset=offset, dst_dtype=torch.float16)

    print(graph(AntiQuant(), dynamic=False)(x, scale, offset))

    # npu_quantize: the printed input gives the printed output.
    x = torch.tensor([[[0.2600, 0.6782, 0.5024, 0.9492, 0.6089, 0.7461, 1.5332, -0.2123, 0.6558, -0.8354, -0.5366, -0.6821],
                       [-0.2522, 0.2415, -0.0269, -0.1497, 0.2256, -0.5239, 0.7363, -0.2468, 1.6064, 1.4170, -0.2213, 1.5947]]],
                     dtype=torch.float16).npu()
    scale = torch.tensor([3] * 12, dtype=torch.float16).npu()

    class Quantize(torch.nn.Module):
        def forward(self, x, scale, zero_points, dst_type, div_mode):
            return torch_npu.npu_quantize(x, scale, zero_points=zero_points, dtype=dst_type, div_mode=div_mode)

    output = graph(Quantize(), dynamic=True)(x, scale, None, dst_type=torch.qint8, div_mode=False)
    assert output.dtype == torch.int8
    assert output.cpu().tolist() == [[[1, 2, 2, 3, 2, 2, 5, -1, 2, -3, -2, -2], [-1, 1, 0, 0, 1, -2, 2, -1, 5, 4, -1, 5]]]

    # npu_trans_quant_param, whose result goes into npu_quant_matmul
    class Product(torch.nn.Module):
        def forward(self, x1, x2, scale, offset, bias):
            return torch_npu.npu_quant_matmul(x1, x2, torch_npu.npu_trans_quant_param(scale, offset), offset=offset, bias=bias)

    x1, x2 = torch.randint(-1, 1, (15, 1, 512), dtype=torch.int8), torch.randint(-1, 1, (15, 512, 128), dtype=torch.int8)
    scale, offset, bias = torch.randn(1), torch.randn(1), torch.randint(-1, 1, (15, 1, 128), dtype=torch.int32)
    output = graph(Product(), dynamic=True)(x1.npu(), x2.npu(), scale.npu(), offset.npu(), bias.npu())
    same(output, aq.quant_matmul(x1, x2, aq.trans_quant_param(scale, offset), offset=offset, bias=bias))

"""

DYNAMIC_DOCUMENT = """
    # npu_dynamic_quant_asymmetric
    class DynamicQuant(torch.nn.Module):
        def forward(self, input_tensor, smooth_scales=None, group_index=None, dst_type=None):
            out, scale, offset = torch_npu.npu_dynamic_quant_asymmetric(
                input_tensor, smooth_scales=smooth_scales, group_index=group_index, dst_type=dst_type)
            return out, scale, offset

    x, smooth = torch.randn((2, 4, 6), dtype=torch.float16), torch.randn(6, dtype=torch.float16)
    output = graph(DynamicQuant().npu(), dynamic=True)(x.npu(), smooth_scales=smooth.npu())
    same(output, aq.dynamic_quant_asymmetric(x, smooth_scales=smooth))
"""


def test_documents(run: Run) -> None:
    """The graph examples of the four documents, with their output where it is deterministic."""
    printed = run(START + DOCUMENTS + DYNAMIC_DOCUMENT + "    print(*output)\n")
    assert printed.startswith("tensor([ 6.,  8., 10., 12.], device='npu:0', dtype=torch.float16)\n")
    assert printed.count("tensor(") == 4


# What the document of npu_dynamic_quant_asymmetric does in its graph example, call for call.
EXAMPLE = """
    import torch
    import torch_npu
    import torchair
    from torchair.configs.compiler_config import CompilerConfig

    torch_npu.npu.set_compile_mode(jit_compile=True)
    backend = torchair.get_npu_backend(compiler_config=CompilerConfig())
    torch_npu.npu.set_device(torch.device("npu:0"))

    class Quantizer(torch.nn.Module):
        def forward(self, values, smooth_scales=None, group_index=None, dst_type=None):
            return torch_npu.npu_dynamic_quant_asymmetric(
                values, smooth_scales=smooth_scales, group_index=group_index, dst_type=dst_type)

    x = torch.randn((2, 4, 6), device="npu", dtype=torch.float16).npu()
    smooth_scales = torch.randn((6), device="npu", dtype=torch.float16).npu()
    compiled = torch.compile(Quantizer().npu(), backend=backend, dynamic=True)
    out, scale, offset = compiled(x, smooth_scales=smooth_scales)
    print(out)
    print(scale)
    print(offset)
"""


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_the_example_that_asks_for_compiled_operators(run: Run, level: str) -> None:
    """With it everyday operators are called by name: what it prints is what the same numbers print on the CPU."""
    after = """
    import aclquant as aq
    expected = [torch.as_tensor(each) for each in aq.dynamic_quant_asymmetric(x.cpu(), smooth_scales=smooth_scales.cpu())]
    for one, other in zip((out, scale, offset), expected, strict=True):
        assert torch.equal(one.cpu(), other), (one.cpu(), other)
"""
    both = run(
        EXAMPLE + after + "    print('--')\n    for each in expected: print(each)\n",
        TASK_QUEUE_ENABLE=level,
    )
    printed, expected = both.split("--\n")
    assert re.sub(r",\s+device='npu:0'", "", printed).split() == expected.split()


BY_NAME = """
    import torch, torch_npu
    torch.npu.manual_seed(3)
    before = [torch.randn(5, 7, device="npu", dtype=t).cpu() for t in (torch.float32, torch.float16)]
    torch_npu.npu.set_compile_mode(jit_compile=True)
    torch.npu.manual_seed(3)
    for one in before:
        other = torch.randn(5, 7, device="npu", dtype=one.dtype).cpu()
        assert torch.equal(one, other), (one, other)

    for dtype in (torch.float32, torch.float16):
        a = torch.tensor([[1.5, -2.25, float("inf"), 0.0], [float("nan"), 1e-3, 7.0, -0.0]], dtype=dtype)
        b = torch.tensor([[1.5, 3.0, 1.0, -1.0], [2.0, -1e-3, 0.5, 4.0]], dtype=dtype)
        finite = torch.arange(24, dtype=dtype).reshape(2, 3, 4).sin()
        x, y, z = a.npu(), b.npu(), finite.npu()
        for one, other in (
            (x + y, a + b), (x + 2, a + 2), (x * y, a * b), (x * 3, a * 3), (x / y, a / b), (x / 2, a / 2),
            (x > y, a > b), (x > 1, a > 1), (x < y, a < b), (x < 1, a < 1), (x != y, a != b), (x != 1.5, a != 1.5),
            (x.abs(), a.abs()), (x.ceil(), a.ceil()), (torch.isfinite(x), torch.isfinite(a)),
            ((x > 0) & (y > 0), (a > 0) & (b > 0)), (torch.masked_select(y, y > 1), b[b > 1]), (torch.masked_select(y, y > 9), b[b > 9]),
            (z.max(), finite.max()), (z.min(), finite.min()), (z.amax((0, 2)), finite.amax((0, 2))),
            (z.amin(1, keepdim=True), finite.amin(1, keepdim=True)),
        ):
            torch.testing.assert_close(one.cpu(), other, rtol=0, atol=0, equal_nan=True)
    print("equal")
"""


def test_operators_called_by_name(run: Run) -> None:
    """They give what torch gives on the CPU, and the random numbers of the other way, in the order of a slow stream."""
    assert run(BY_NAME, ACLQUANT_HOST_DELAY="50", ACLQUANT_HOST_POISON="1") == "equal\n"


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_a_missing_name_is_refused(run: Run, level: str) -> None:
    """At once before compiled operators are requested; afterwards by name, at the latest in a call that waits."""
    program = """
    import torch, torch_npu
    x = torch.ones(4, 8).npu()
    for _ in range(2):
        for call in (lambda: torch_npu.npu_ciou(x, x, True, False, 0), lambda: torch_npu.npu_bounding_box_encode(x[:, :4].contiguous(), x[:, :4].contiguous(), 0, 0, 0, 0, 1, 1, 1, 1)):
            try:
                call()
                print("nothing was raised")
            except RuntimeError as error:
                assert "the host device has no operators of this kind ready made" in str(error), error
            assert (x + 1).sum().item() == 64
    torch_npu.npu.set_compile_mode(jit_compile=True)
    assert x.abs().cpu().sum() == 32
    event = torch.npu.Event()
    try:
        torch.tanh(x)
        event.record()
        event.synchronize()
        torch.npu.synchronize()
        print("nothing was raised")
    except RuntimeError as error:
        assert "Tanh" in str(error), error
        print("named")
    """
    assert run(program, TASK_QUEUE_ENABLE=level) == "named\n"


OPERATORS = """
    def whole(count, dtype):
        return torch.randint(-2**31, 2**31 - 1, count, dtype=torch.int64).to(dtype)

    def quantize(x, scale, offset, dtype):
        return torch_npu.npu_quantize(x, scale, offset, dtype, -1, False)

    def divide(x, scales, points):
        return torch_npu.npu_quantize(x, scales, points, torch.quint8, 1)

    def anti(x, scale, offset):
        return torch_npu.npu_anti_quant(x, scale, offset=offset, dst_dtype=torch.bfloat16)

    def dynamic(x, smooth, groups, dtype, mode):
        return torch_npu.npu_dynamic_quant_asymmetric(x, smooth_scales=smooth, group_index=groups, dst_type=dtype, quant_mode=mode)

    def symmetric(x, smooth, groups, dtype):
        return torch_npu.npu_dynamic_quant(x, smooth_scales=smooth, group_index=groups, dst_type=dtype)

    def product(x1, x2, scale, pertoken):
        return torch_npu.npu_quant_matmul(x1, x2, scale, pertoken_scale=pertoken, output_dtype=torch.bfloat16)

    for sizes in (DYNAMIC, STATIC):
        options = {"dynamic": sizes is DYNAMIC}
        # One compiled function for all sizes: shapes come from the inputs.
        graphs = {f: graph(f, **options) for f in (quantize, divide, anti, dynamic, symmetric, product)}
        for rows, columns in sizes:
            x = (torch.randn(rows, 3, columns) * 40).half()
            on = x.npu()
            scale, offset = (torch.rand(columns) + 0.5).half(), torch.randn(columns).half()
            for dtype in (torch.qint8, torch.quint4x2):
                same(graphs[quantize](on, scale.npu(), offset.npu(), dtype), aq.quantize(x, scale, offset, dtype, -1, False))
            scales, points = torch.rand(3) + 0.5, torch.arange(3, dtype=torch.int32)
            same(graphs[divide](on, scales.npu(), points.npu()), aq.quantize(x, scales, points, torch.quint8, 1))
            for packed in (whole((rows, columns // 8), torch.int32), whole((rows, columns), torch.int8)):
                s, o = torch.rand(columns), torch.randn(columns)
                same(graphs[anti](packed.npu(), s.npu(), o.npu()), aq.anti_quant(packed, s, offset=o, dst_dtype=torch.bfloat16))
            smooth, groups = torch.rand(2, columns).half() + 0.5, torch.tensor([1, rows * 3], dtype=torch.int32)
            for dtype in (torch.int8, torch.quint4x2):
                same(graphs[dynamic](on, smooth[0].npu(), None, dtype, "pertoken"), aq.dynamic_quant_asymmetric(x, smooth_scales=smooth[0], dst_type=dtype))
                same(graphs[dynamic](on, smooth.npu(), groups.npu(), dtype, "pertoken"),
                     aq.dynamic_quant_asymmetric(x, smooth_scales=smooth, group_index=groups, dst_type=dtype))
                same(graphs[symmetric](on, smooth.npu(), groups.npu(), dtype), aq.dynamic_quant(x, smooth_scales=smooth, group_index=groups, dst_type=dtype))
                same(graphs[symmetric](on, None, None, dtype), aq.dynamic_quant(x, dst_type=dtype))
            same(graphs[dynamic](on, None, None, torch.int8, "pertensor"), aq.dynamic_quant_asymmetric(x, quant_mode="pertensor"))
            for kind, packs in ((torch.int8, 1), (torch.int32, 8)):
                x1, x2 = whole((rows, columns // packs), kind), whole((columns, 16 // packs), kind)
                s, p = torch.rand(16), torch.rand(rows)
                same(graphs[product](x1.npu(), x2.npu(), s.npu(), p.npu()),
                     aq.quant_matmul(x1, x2, s, pertoken_scale=p, output_dtype=torch.bfloat16))
    print("equal")
"""


def test_operators_equal_those_outside_of_graphs(run: Run) -> None:
    """All operators, int4 among them, in graphs of fixed shapes and, with one graph for several sizes, of open ones.

    In a process that calls ``aclquant.activate``, so that the libraries are also found that way.
    """
    activate = "    import aclquant; aclquant.activate()\n"
    sizes = "    DYNAMIC, STATIC = ((4, 16), (5, 32), (64, 512)), ((4, 16),)\n"
    assert run(activate + START + sizes + OPERATORS, launcher=False) == "equal\n"


AROUND = """
    x, s = torch.randn(4, 6, 16).half().npu(), torch.rand(16).half().npu()

    # Everyday operators before the operator; views, joins, constants, fills; integers of shapes.
    def arithmetic(x, s):
        y = (x * s + 2.0) / 3.0 - x.abs().sqrt()
        return torch_npu.npu_dynamic_quant(torch.maximum(y.relu(), -x).float().half())

    def views(x, s):
        y = torch.cat([x, x.transpose(0, 1).reshape(x.shape)], -1)
        return torch_npu.npu_dynamic_quant(y.reshape(-1, 2 * s.shape[0])), y.permute(2, 0, 1), x.unsqueeze(1).squeeze(1)

    def constants(x, s):
        return torch_npu.npu_quantize(x + torch.ones(16, device="npu").half() * s, s, None, torch.qint8, -1, False), torch.full((3,), 2.0, device="npu")

    # An input as a result, and a result twice, are separate tensors.
    def inputs(x, s):
        y = x + s
        return x.reshape(-1), y, y.reshape(-1)

    for function in (arithmetic, views, constants, inputs):
        for dynamic in (False, True):
            outside, inside = function(x, s), graph(function, dynamic=dynamic)(x, s)
            flat = lambda values: [t for v in values for t in (flat(v) if isinstance(v, tuple) else [v])]
            for one, other in zip(flat(inside), flat(outside), strict=True):
                assert one.dtype == other.dtype and torch.equal(one.cpu(), other.cpu()), (function, one, other)

    # Results are used by what follows on the stream, and dropped, before the work is done; views of inputs are fine.
    wide = torch.randn(300, 2, 4096).half()
    expected = aq.dynamic_quant(wide.transpose(0, 1).contiguous())[0].astype(np.int32) + 1
    held = []
    for stream in (torch.npu.current_stream(), torch.npu.Stream()):
        stream.wait_stream(torch.npu.default_stream())
        quantized = graph(lambda x: torch_npu.npu_dynamic_quant(x)[0], dynamic=True)  # torchair: one stream each
        with torch.npu.stream(stream):
            on = wide.npu().transpose(0, 1)
            for _ in range(20):
                y = quantized(on).int() + 1
                del on
                on = wide.npu().transpose(0, 1)
            assert np.array_equal(y.cpu(), expected)
        del y, on
        held.append(torch.npu.memory_allocated())
    assert held[0] == held[1], held  # nothing is kept from run to run
    print("well")
"""


def test_what_stands_around_the_operators(run: Run) -> None:
    """Everyday nodes give what they give outside of graphs; memory and order hold on slow streams."""
    assert run(START + AROUND, ACLQUANT_HOST_DELAY="50", ACLQUANT_HOST_POISON="1") == "well\n"


ERRORS = """
    x = torch.randn(4, 16).half().npu()

    def works():
        y = graph(lambda x: torch_npu.npu_dynamic_quant(x)[0])(x)
        assert np.array_equal(y.cpu(), aq.dynamic_quant(x.cpu())[0])

    # A node that the device does not have: when the graph is compiled.
    raises(["the host device cannot run this graph", "Cumsum", "Sort"], graph(lambda x: torch.sort(torch.cumsum(x, 0))), x)
    works()
    # Arguments that phase 1 refuses: when it runs, with the sentence of phase 1 and the node's name.
    raises(["graph node 'Quantize' (Quantize): [161002 ACLNN_ERR_PARAM_INVALID] aclnnQuantizeGetWorkspaceSize: argument 'scales'",
            "got shape (5,); allowed: (1,) or (16,)"],
           graph(lambda x, s: torch_npu.npu_quantize(x, s, None, torch.qint8, 1)), x, torch.ones(5).npu())
    works()
    raises(["aclnnDynamicQuantV2GetWorkspaceSize: argument 'smoothScalesOptional'", "got dtype FLOAT; allowed: FLOAT16"],
           graph(lambda x, s: torch_npu.npu_dynamic_quant(x, smooth_scales=s)), x, torch.ones(16).npu())
    works()
    print("refused")
"""


def test_errors(run: Run) -> None:
    """What cannot run says so at once, through torchair's exception, and the device stays usable.

    With the task queue that reports other errors late.
    """
    assert run(START + ERRORS, TASK_QUEUE_ENABLE="2") == "refused\n"


def test_every_symbol_of_torchair_is_there() -> None:
    """What its libraries bind when they are loaded: the engine's C++ names, in the mangling of this compiler."""
    if shutil.which("nm") is None:
        pytest.skip("nm is not installed")

    def names(library: Path, *options: str) -> set[str]:
        lines = subprocess.run(
            ["nm", "-D", *options, library], capture_output=True, text=True, check=True
        ).stdout
        return {line.split()[-1] for line in lines.splitlines()}

    wheel = importlib.util.find_spec("torch_npu")
    assert wheel is not None and wheel.origin is not None
    clients = sorted((Path(wheel.origin).parent / "dynamo" / "torchair").rglob("*.so"))
    assert len(clients) == 4
    needed = set[str]().union(*(names(client, "--undefined-only") for client in clients))
    ours = names(Path(bundled("_lib")) / "libge_runner.so", "--defined-only")
    engine = re.compile(r"_ZNK?2ge|\w+_s$")
    assert {name for name in needed if engine.match(name)} <= ours
