"""Tables and pictures of what `run.py` measured."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile
from typing import Any

Result = dict[str, Any]


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}" if seconds < 1e-3 else f"{seconds * 1e3:.2f}"


def cached(cases: list[Result]) -> str:
    """Arrays that fit the caches: a row for each case, a column for each size."""
    sizes = sorted({case["elements"] for case in cases})
    rows: dict[str, list[str]] = {}
    for case in cases:
        limit = f"{case['limit']:.2f}" if case["limit"] else "-"
        text = f"{case['seconds'] * 1e6:.1f}: {case['copy']:.2f}, {limit}"
        rows.setdefault(case["name"], [case["name"]]).append(text)
    fast = [c for c in cases if c["copy"] >= 0.8 or (c["limit"] or 0) >= 0.95]
    return (
        "µs (best): the speed to that of `np.copyto` of as many bytes, and to that of the "
        "smallest loop, which here writes into the caches.\n\n"
        + table(["case", *(f"{size >> 10} Ki elements" for size in sizes)], list(rows.values()))
        + f"{len(fast)} of {len(cases)} reach 0.8 of the copy or 0.95 of the loop.\n"
    )


def verdict(cases: list[Result]) -> str:
    """How many cases reach their target, and how many of the others 0.9 of their limit."""
    wanted = [case for case in cases if case["target"]]
    missed = [case for case in wanted if case["ratio"] < case["target"]]
    near = [case for case in missed if (case["limit"] or 0) >= 0.9]
    limits = [case for case in wanted if case["stream"]]
    full = [c for c in limits if c["stream"] >= 0.95 or (c["limit"] or 0) >= 0.95]
    return (
        f"{len(wanted) - len(missed)} of {len(wanted)} cases meet their target; of the "
        f"{len(missed)} others, {len(near)} reach 0.9 of the smallest loop that makes the same "
        f"results (limits.cpp). {len(full)} of {len(limits)} reach 0.95 of the streaming copy or "
        "of that loop.\n"
    )


def markdown(report: Result) -> str:
    machine = report["machine"]
    parts = ["# Benchmark results\n", ", ".join(f"{k}: {v}" for k, v in machine.items()) + "\n"]
    for name in report["missing"]:
        parts.append(f"{name} is not installed: left out.\n")
    parts.append("## Small calls, microseconds (median)\n")
    rows = [[name, f"{value * 1e6:.2f}"] for name, value in report["small"].items()]
    parts.append(table(["4x8 float32", "µs"], rows))
    rows = [[name, f"{value * 1e3:.1f}"] for name, value in report["start"].items()]
    parts.append(table(["start of a process", "ms"], rows))
    if report["cached"]:
        parts.append("## In the caches, 1 thread\n")
        parts.append(cached(report["cached"]))
    for threads, cases in report["large"].items():
        parts.append(f"## {report['elements']} elements, {threads} thread(s)\n")
        parts.append(
            "GB/s counts each byte read or written once. Ratios are medians over the rounds of "
            "what was measured side by side: the speed to that of `np.copyto` of float32, to that "
            "of a copy of float32 that streams (it does not read what it overwrites), and to that "
            "of the smallest loop.\n"
        )
        rows = []
        for case in cases:
            limit = case["limit"]
            ours = case["timings"]["aclquant"]
            others = [
                f"{name} {other['median'] / ours['median']:.2f}x"
                for name, other in case["timings"].items()
                if name not in ("aclquant", "copy", "copy again", "limit", "stream")
            ]
            rows.append(
                [
                    case["name"],
                    milliseconds(ours["best"]),
                    milliseconds(ours["median"]),
                    f"{case['nbytes'] / ours['best'] / 1e9:.1f}",
                    f"{case['ratio']:.2f}",
                    f"{case['target']:.1f}" if case["target"] else "",
                    f"{case['stream']:.2f}" if case["stream"] else "",
                    f"{limit:.2f}" if limit else "",
                    "; ".join(others),
                ]
            )
        header = ["case", "best ms", "median ms", "best GB/s", "ratio to copy", "target"]
        header += ["to the streaming copy", "to the smallest loop"]
        parts.append(table([*header, "time of others / ours"], rows))
        parts.append(verdict(cases))
    return "\n".join(parts)


END = "<!-- end of the run -->"


def document(report: Result, pictures: list[Path], docs: Path) -> None:
    """Put a run in place of the last one with the same kernels in ``performance/runs.md``."""
    page = docs / "performance" / "runs.md"
    variant = report["machine"]["variant"]
    begin = f"<!-- python benchmarks/run.py --docs: {variant} -->"
    before, _, rest = page.read_text().partition(begin)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{page}: the marks {begin} and {END} are missing")
    run = markdown(report).partition("\n")[2].replace("\n## ", "\n### ")
    links = []
    for picture in pictures:
        name = f"{picture.stem}_{variant}{picture.suffix}"
        copyfile(picture, docs / "images" / name)
        links.append(f"![{picture.stem}](../images/{name})")
    text = "\n\n".join([begin, run.strip(), *links, END])
    page.write_text(before + text + after)
    print(f"{page}: renewed")


def plots(report: Result, folder: Path) -> list[Path]:
    """Draw the pictures; none without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no pictures")
        return []
    matplotlib.use("Agg")
    from matplotlib import pyplot

    made = []

    def save(figure: Any, name: str) -> None:
        figure.tight_layout()
        figure.savefig(folder / name)
        pyplot.close(figure)
        made.append(folder / name)

    figure, axes = pyplot.subplots(figsize=(8, 5))
    series: dict[str, list[tuple[int, float]]] = {}
    for case in report["sizes"]:
        for name, timing in case["timings"].items():
            label = "np.copyto float32" if name == "copy" else f"{case['name']}: {name}"
            moved = case["copied"] if name == "copy" else case["nbytes"]
            if name == "aclquant" or "float32" in case["name"]:
                point = (case["elements"], moved / timing["median"] / 1e9)
                series.setdefault(label, []).append(point)
    for label, points in series.items():
        ordered = dict(sorted(points))
        axes.loglog(list(ordered), list(ordered.values()), marker=".", label=label)
    axes.set(xlabel="elements", ylabel="GB/s read + written", title="Speed and size, one thread")
    axes.legend(fontsize=5)
    save(figure, "size.svg")

    figure, axes = pyplot.subplots(figsize=(9, 6))
    threads = list(report["large"])
    names = [case["name"] for case in report["large"][threads[0]] if "copy" in case["timings"]]
    for number, count in enumerate(threads):
        found = {c["name"]: c["timings"]["aclquant"]["median"] for c in report["large"][count]}
        places = [place + 0.4 * number for place in range(len(names))]
        times = [found[name] * 1e3 for name in names]
        axes.barh(places, times, height=0.4, label=f"{count} thread(s)")
    axes.set_yticks(range(len(names)), names, fontsize=4)
    axes.set(xlabel="ms (median)", title=f"Time and threads, {report['elements']} elements")
    axes.legend()
    save(figure, "threads.svg")

    figure, axes = pyplot.subplots(figsize=(8, 5))
    copy = max(c["copied"] / c["timings"]["copy"]["best"] for c in report["large"][threads[0]])
    axes.axhline(copy / 1e9, color="black", label="np.copyto")
    groups: dict[str, list[tuple[float, float]]] = {}
    for case in report["large"][threads[0]]:
        per_byte = case["elements"] / case["nbytes"]
        for who, label in (("aclquant", case["name"].split()[0]), ("limit", "smallest loops")):
            if who in case["timings"]:
                speed = case["nbytes"] / case["timings"][who]["best"] / 1e9
                groups.setdefault(label, []).append((per_byte, speed))
    for name, places_of in groups.items():
        axes.scatter([x for x, _ in places_of], [y for _, y in places_of], s=14, label=name)
    axes.set(xlabel="elements per byte moved", ylabel="GB/s (best)", title="Roofline, one thread")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)
    save(figure, "roofline.svg")
    return made
