"""The page of ``checkpoint report``: what is in it, and used in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import aclquant as aq

from .browser import BROWSER, DRIVER, Browser
from .models import load, tensors, write_model


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    made = tensors(layers=2, experts=0)
    made["odd.</script><b>.weight"] = np.ones_like(made["lm_head.weight"])
    source = write_model(tmp_path / "model", made)
    aq.checkpoint.quantize(source, tmp_path / "q", "w8a8-dynamic")
    return source, tmp_path / "q"


def data_of(page: Path) -> dict[str, object]:
    match = re.search(r'type="application/json">(.*?)</script>', page.read_text(), re.DOTALL)
    assert match
    return json.loads(match[1])  # type: ignore[no-any-return]


def test_numbers_on_the_page(folders: tuple[Path, Path], tmp_path: Path) -> None:
    source, folder = folders
    page = aq.checkpoint.report(folder, tmp_path / "r.html", against=source)
    layers = {layer["name"]: layer for layer in data_of(page)["layers"]}  # type: ignore[attr-defined]
    errors = {error.name: error for error in aq.checkpoint.diff(source, folder)}
    got = load(folder)
    for name, layer in layers.items():
        codes = got[name]
        assert layer["codes"] == [int((codes == n).sum()) for n in range(-128, 128)]
        assert layer["scale_max"] == got[f"{name}_scale"].max()
        if layer["snr_db"] != "exact":
            assert layer["snr_db"] == errors[name].snr_db
    assert layers["odd.</script><b>.weight"]["snr_db"] == "exact"
    text = page.read_text()
    assert not re.search(r"(src|href)=|https?://(?!www\.w3\.org)", text)  # needs nothing else
    plain = aq.checkpoint.report(folder, tmp_path / "plain.html")
    assert "snr_db" not in data_of(plain)["layers"][0]  # type: ignore[index]
    with pytest.raises(FileExistsError):
        aq.checkpoint.report(folder, plain)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if not (BROWSER and DRIVER):
        pytest.skip("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    made = Browser(tmp_path)
    yield made
    made.close()


@pytest.mark.nightly
def test_used_in_a_browser(folders: tuple[Path, Path], tmp_path: Path, browser: Browser) -> None:
    source, folder = folders
    page = aq.checkpoint.report(folder, tmp_path / "r.html", against=source)
    browser.open(page)
    errors = [e for e in aq.checkpoint.diff(source, folder) if e.type != "FLOAT"]
    names = [error.name for error in errors]
    assert browser.texts("tbody td:first-child") == names  # the worst first
    assert browser.texts("#count") == ["15 of 15"]
    assert browser.texts("th[aria-sort=ascending]") == ["SNR, dB"]

    browser.click("th[data-key=snr_db] button")
    assert browser.texts("tbody td:first-child")[0] == names[-1]
    assert browser.texts("th[aria-sort=descending]") == ["SNR, dB"]
    browser.click("th[data-key=name] button")
    assert browser.texts("tbody td:first-child") == sorted(names)
    browser.click("th[data-key=max_abs] button")
    largest = sorted(errors, key=lambda error: (error.max_abs, error.name))
    assert browser.texts("tbody td:first-child") == [error.name for error in largest]

    browser.type("#filter", "LAYERS.1.mlp")
    shown = browser.texts("tbody td:first-child")
    assert sorted(shown) == sorted(n for n in names if "layers.1.mlp" in n)
    assert browser.texts("#count") == ["3 of 15"]

    browser.click("tbody tr:nth-child(2)")
    assert browser.run("document.querySelectorAll('.detail svg rect').length") == 256
    heights = browser.run(
        "[...document.querySelectorAll('.detail rect')].map(e => +e.getAttribute('height'))"
    )
    assert max(heights) == 100 and heights[0] < 100
    assert browser.run("document.querySelector('.detail svg').getBoundingClientRect().width") > 300
    browser.click("tbody tr:nth-child(2)")
    assert browser.run("document.querySelectorAll('.detail').length") == 0
    browser.type("#filter", "nothing like it")
    assert browser.texts("#count") == ["0 of 15"]
    assert browser.complaints() == []
