"""A real Chromium that tests drive, with nothing fetched from anywhere; tests are skipped where there is none."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP = (1280, 900)
PHONE = (390, 844)


@contextmanager
def open_browser(*flags: str) -> Generator[Chrome]:
    """A browser of its own, with an empty profile; the test is skipped where Chromium or its driver is missing."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("Chromium and its driver are not installed")
    with TemporaryDirectory() as profile:
        options = ChromeOptions()
        options.binary_location = chromium
        for flag in (*QUIET, *flags, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # With the driver's own path, Selenium looks for none and downloads none.
        browser = Chrome(options=options, service=Service(executable_path=driver))
        try:
            yield browser
        finally:
            browser.quit()


@pytest.fixture(scope="session")
def session_browser() -> Generator[Chrome]:
    """One browser for all tests of a run: starting it takes a second or two."""
    with open_browser() as browser:
        yield browser


@pytest.fixture
def browser(session_browser: Chrome) -> Chrome:
    """The browser on an empty page, as wide as a desk's, in light colours, with an empty console."""
    session_browser.get("about:blank")
    resize(session_browser, DESKTOP)
    use_colours(session_browser, "light")
    session_browser.get_log("browser")
    return session_browser


def open_file(browser: Chrome, path: Path, *, fragment: str = "") -> None:
    """Open a page of this machine as a person does who clicks on the file."""
    browser.get("about:blank")
    browser.get(path.as_uri() + fragment)


def resize(browser: Chrome, size: tuple[int, int]) -> None:
    """Give the page a size; a window cannot be as narrow as a phone."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def use_colours(browser: Chrome, scheme: str) -> None:
    """Let the person prefer `light` or `dark` colours."""
    features: Sequence[dict[str, str]] = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def read_console(browser: Chrome) -> list[str]:
    """What the page complained of since it was last asked."""
    return [entry["message"] for entry in browser.get_log("browser")]
