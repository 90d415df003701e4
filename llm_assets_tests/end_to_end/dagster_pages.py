"""Dagster's pages in a browser, found and clicked as a person does: by the words that stand on them."""

from collections.abc import Callable
from typing import TypeVar

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from llm_assets_tests.end_to_end.browser import resize

Found = TypeVar("Found")

PATIENCE_SECONDS = 180
WIDE = (1500, 1000)
"""Narrower, and Dagster folds its buttons into menus."""
IN_BETWEEN = (
    ElementClickInterceptedException,
    NoSuchElementException,
    StaleElementReferenceException,
)
"""What a page says that is being drawn anew."""


class Pages:
    """One browser on one server."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self._browser = browser
        self._url = url
        resize(browser, WIDE)

    def open(self, path: str) -> None:
        """Go to a page."""
        self._browser.get(self._url + path)

    def reload(self) -> None:
        """Load the page anew."""
        self._browser.refresh()

    def click_button(self, words: str) -> None:
        """Click the button that has these words; of a dialog and the page behind it, the dialog's."""
        self._click(f"//button[contains(., '{words}')]")

    def click_tab(self, words: str) -> None:
        """Click a tab of the page."""
        self._click(f"//*[@role='tab'][contains(., '{words}')]")

    def click_titled(self, title: str) -> None:
        """Click what shows a name that may be cut, such as a partition's in its list."""
        self._click(f"//*[@title='{title}']")

    def click_link(self, words: str) -> None:
        """Click a link, or what the page draws as one."""
        self._click(f"//*[self::a or self::button or @role='link'][contains(., '{words}')]")

    def read(self) -> str:
        """All words in sight."""
        return self._browser.find_element(By.TAG_NAME, "body").text

    def wait_for(self, *words: str) -> str:
        """All words of the page, once these are among them."""

        def look() -> str | None:
            text = self.read()
            return text if all(word in text for word in words) else None

        return self._wait_until(look, f"the page never showed {words}")

    def wait_for_value(self, name: str) -> str:
        """What stands beside a name in a table of two columns."""
        path = f"//tr[td[1][normalize-space()='{name}']]/td[2]"
        return self._wait_until(
            lambda: self._browser.find_element(By.XPATH, path).text, f"{name} was never shown"
        )

    def _click(self, path: str) -> None:
        def click() -> bool:
            found = [part for part in self._find(path) if part.is_displayed()]
            usable = [part for part in found if part.is_enabled()]
            if not usable:
                return False
            usable[-1].click()
            return True

        self._wait_until(click, f"nothing to click at {path}")

    def _find(self, path: str) -> list[WebElement]:
        inside = self._browser.find_elements(By.XPATH, f"//*[@role='dialog']{path}")
        return inside or self._browser.find_elements(By.XPATH, path)

    def _wait_until(self, look: Callable[[], Found | None], message: str) -> Found:
        waiting = WebDriverWait(self._browser, PATIENCE_SECONDS, ignored_exceptions=IN_BETWEEN)
        return waiting.until(lambda _: look(), message)  # pyright: ignore -- to be seen
