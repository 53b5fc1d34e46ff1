"""Owns looking at a page as people do, in headless Chromium: tests that look are skipped where there is none."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_TIME_ON_PAGE_MS = 15_000  # of the page's own clock, which runs ahead while nothing is under way


def find_browser() -> str | None:
    """The browser's program, or None."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def look_at(url: str, screenshot: Path) -> str:
    """The page's document once its scripts have run. Leaves a picture of it, too."""
    _browse(url, screenshot.parent, ["--window-size=1440,1100", f"--screenshot={screenshot}"])
    return _browse(url, screenshot.parent, ["--dump-dom"])


def _browse(url: str, folder: Path, what: Sequence[str]) -> str:
    browser = find_browser()
    assert browser, "find_browser() said that there is one"
    command = [
        browser,
        "--headless",
        "--no-sandbox",  # which root cannot have
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--user-data-dir={folder / 'browser'}",
        f"--virtual-time-budget={_TIME_ON_PAGE_MS}",
        *what,
        url,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
