"""A headless Chromium, driven by chromedriver over the WebDriver protocol (plain HTTP and JSON)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


class Browser:
    """One page in one browser."""

    def __init__(self, profile: Path) -> None:
        assert DRIVER and BROWSER
        self._process = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "HOME": str(profile)},
        )  # fmt: skip
        assert self._process.stdout
        for line in self._process.stdout:
            started = re.search(r"started successfully on port (\d+)", line)
            if started:
                break
        else:
            raise RuntimeError("chromedriver did not start")
        self._address = f"http://127.0.0.1:{started[1]}/session"
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={profile / 'chromium'}", "--window-size=1200,900",
        ]  # fmt: skip
        options = {"binary": BROWSER, "args": arguments}
        logging = {"browser": "ALL"}
        wish = {"goog:chromeOptions": options, "goog:loggingPrefs": logging}
        try:
            session = self._post("", {"capabilities": {"alwaysMatch": wish}})["sessionId"]
        except BaseException:
            self._stop()
            raise
        self._address += f"/{session}"

    def _post(self, path: str, value: object) -> Any:
        return self._ask(path, json.dumps(value).encode())

    def _ask(self, path: str, data: bytes | None, method: str | None = None) -> Any:
        request = urllib.request.Request(
            f"{self._address}{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, path: Path) -> None:
        self._post("/url", {"url": path.resolve().as_uri()})

    def run(self, script: str) -> Any:
        return self._post("/execute/sync", {"script": f"return {script}", "args": []})

    def _find(self, selector: str) -> str:
        found = self._post("/element", {"using": "css selector", "value": selector})
        return str(next(iter(found.values())))

    def click(self, selector: str) -> None:
        self._post(f"/element/{self._find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        self._post(f"/element/{self._find(selector)}/value", {"text": text})

    def texts(self, selector: str) -> list[str]:
        script = f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)"
        return list(self.run(script))

    def complaints(self) -> list[str]:
        """Return what the page wrote to the console as errors."""
        log = self._post("/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]

    def close(self) -> None:
        try:
            self._ask("", None, "DELETE")
        finally:
            self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        assert self._process.stdout
        self._process.stdout.close()
