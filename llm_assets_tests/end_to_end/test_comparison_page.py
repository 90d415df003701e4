"""Whether a comparison's page holds in a real browser."""

from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from llm_assets.core.comparison import build_comparison
from llm_assets.gateways.comparison_pages import render_comparison_html
from llm_assets_tests.core.test_comparison import build_side
from llm_assets_tests.end_to_end.browser import (
    PHONE,
    open_file,
    read_console,
    resize,
    use_colours,
)

pytestmark = pytest.mark.slow

HOSTILE = (
    "</script><script>document.title = 'ran'</script>",
    "<img src=x onerror=\"document.title = 'ran'\">",
    "javascript:document.title='ran'",
    "\u2028</table><h1>moved</h1>",
    "long " * 2_000,
)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Every text that can be somebody else's is hostile, and every item differs."""
    sides = [
        build_side(
            [{"mood": f"{text}{at}", f"field {text}": [text, at]} for text in HOSTILE * 3],
            name=HOSTILE[at],
            model=HOSTILE[at + 1],
            batches_alone=[HOSTILE[0]],
        )
        for at in range(2)
    ]
    path = tmp_path / "c.html"
    comparison = build_comparison(*sides, n_examples=5)
    path.write_text(render_comparison_html(comparison), encoding="utf-8")
    return path


def test_texts_of_others_run_nothing(browser: Chrome, page: Path):
    """Tags, handlers and addresses in values, names and models stay texts, and the policy finds nothing to stop."""
    open_file(browser, page)
    browser.execute_script(
        "document.querySelectorAll('details').forEach((each) => each.open = true)"
    )
    assert browser.title != "ran"
    assert [each.text for each in browser.find_elements(By.TAG_NAME, "h1")] != ["moved"]
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert HOSTILE[1] in browser.find_element(By.TAG_NAME, "body").text
    assert read_console(browser) == []


def test_items_that_differ_can_be_searched(browser: Chrome, page: Path):
    """By any word of their line; without one all are there."""
    open_file(browser, page)
    search = browser.find_element(By.ID, "search")
    shown = "return document.querySelectorAll('#changed tbody tr:not([hidden])').length"
    assert browser.execute_script(shown) == 15
    search.send_keys("row 15")
    assert browser.execute_script(shown) == 1
    assert browser.find_element(By.ID, "found").text == "1 found"
    search.send_keys(*[Keys.BACKSPACE] * 6)
    assert browser.execute_script(shown) == 15


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_fits_a_phone(browser: Chrome, page: Path, colours: str):
    """Nothing sticks out to the right, however long a word is."""
    resize(browser, PHONE)
    use_colours(browser, colours)
    open_file(browser, page)
    browser.execute_script(
        "document.querySelectorAll('details').forEach((each) => each.open = true)"
    )
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= PHONE[0]
