"""Dagster's pages in a real browser, read and clicked as a person does: by the words that stand on them."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from llm_assets_tests.end_to_end.browser import open_browser, resize
from llm_assets_tests.end_to_end.dagster_ui import LOCATION, Ui, open_ui
from llm_assets_tests.end_to_end.tiny_project import TinyProject

PATIENCE_SECONDS = 180
WIDE = (1500, 1000)
"""On a narrower page Dagster folds buttons into menus."""
IN_BETWEEN = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
"""What is met while a page is drawn anew."""

Found = TypeVar("Found")


class Pages:
    """A browser on the pages of a server."""

    def __init__(self, browser: Chrome, ui: Ui) -> None:
        self.ui = ui
        self._browser = browser
        resize(browser, WIDE)

    def open_graph(self, task: str) -> None:
        """Go to the graph of a task's assets."""
        self._browser.get(f"{self.ui.url}/locations/{LOCATION}/asset-groups/{task}/lineage")

    def open_batch(self, stage: str, batch: str) -> None:
        """Go to a stage, such as `notes/llm_outputs`, and click its list of batches and one of them."""
        self._browser.get(f"{self.ui.url}/assets/{stage}")
        self._click("//*[@role='tab'][normalize-space()='Partitions']")
        self._click(f"//*[@title='{batch}']")
        self.wait_for("Latest materialization")

    def click(self, words: str) -> None:
        """Click the button that says this; some are links that are drawn as buttons."""
        self._click(f"//*[self::button or self::a][normalize-space()='{words}']")

    def materialize(self) -> str:
        """Click what makes the shown batch anew, and then what shows the run; its id."""
        self.click("Materialize…")
        self.click("Launch 1 run")
        self.wait_for("Launched run")
        self.click("View")
        return self._wait_until(self._read_run_id, "the run's page was never shown")

    def read(self) -> str:
        """All words in sight."""
        return self._browser.find_element(By.TAG_NAME, "body").text

    def wait_for(self, *words: str) -> None:
        """Wait until all of these stand on the page."""

        def is_shown() -> bool:
            text = self.read()
            return all(word in text for word in words)

        self._wait_until(is_shown, f"{words} were never shown")

    def wait_for_value(self, name: str) -> str:
        """What stands beside a name in a table of two columns."""
        path = f"//tr[td[1][normalize-space()='{name}']]/td[2]"
        return self._wait_until(
            lambda: self._browser.find_element(By.XPATH, path).text, f"{name} was never shown"
        )

    def _click(self, path: str) -> None:
        def is_clicked() -> bool:
            usable = [
                part for part in self._find(path) if part.is_displayed() and part.is_enabled()
            ]
            for part in usable[:1]:
                part.click()
            return bool(usable)

        self._wait_until(is_clicked, f"there was nothing to click at {path}")

    def _find(self, path: str) -> list[WebElement]:
        """Of a dialog and the page behind it, what stands in the dialog."""
        inside = self._browser.find_elements(By.XPATH, f"//*[@role='dialog']{path}")
        return inside or self._browser.find_elements(By.XPATH, path)

    def _read_run_id(self) -> str | None:
        _, found, run_id = self._browser.current_url.partition("/runs/")
        return run_id if found else None

    def _wait_until(self, look: Callable[[], Found | None], message: str) -> Found:
        waiting = WebDriverWait(self._browser, PATIENCE_SECONDS, ignored_exceptions=IN_BETWEEN)
        try:
            found = waiting.until(lambda _: look())
        except TimeoutException:
            raise AssertionError(f"{message}:\n{self.read()}") from None
        assert found
        return found


@contextmanager
def open_pages(project: TinyProject) -> Generator[Pages]:
    """`dagster dev` on the project's history, and a browser on its pages; skipped where there is no browser."""
    with open_browser() as browser, open_ui(project) as ui:
        try:
            yield Pages(browser, ui)
        finally:
            browser.get("about:blank")  # a page that listens holds the server up when it is to stop
