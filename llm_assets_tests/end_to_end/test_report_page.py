"""Whether the report's page works in a real browser, and whether what strangers wrote stays text in it."""

import json
import re
from pathlib import Path
from random import Random

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from llm_assets.core.fingerprint import fingerprint_text
from llm_assets.core.ids import TaskName
from llm_assets.core.llm_outputs import OUTCOMES
from llm_assets.core.report_index import build_report_index
from llm_assets.gateways.report_pages import render_index_html
from llm_assets_tests.end_to_end.browser import (
    PHONE,
    open_browser,
    open_file,
    read_console,
    resize,
    use_colours,
)
from llm_assets_tests.end_to_end.report_pages import SYSTEM, PageBuilder
from llm_assets_tests.gateways.test_report_index import build_summary

pytestmark = pytest.mark.slow

RUN = "window.harmed=1"
HOSTILE = (
    f"</script><script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f"<svg onload={RUN}></svg>",
    f'"><a href="javascript:{RUN}" autofocus onfocus={RUN}>here</a>',
    f"javascript:{RUN}",
    f"\u2028{RUN}\u2029//",
    "{{ 7 * 7 }} {% raw %} ${7 * 7}",
    f"<!--<script>{RUN}",
    f"</style></title></textarea><iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=https://harm.invalid'>",
    "<base href=https://harm.invalid/><style>* { display: none }</style>",
    "=HYPERLINK(1) \x00\x07\x1b[31m \ud800 \u202e",
)
MAX_SECONDS = 3.0
MAX_BYTES = 15_000_000
N_MANY = 20_000


@pytest.fixture(scope="module")
def small_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty items, every tenth of them failed."""
    builder = PageBuilder()
    for number in range(1, 61):
        if number % 10 == 0:
            why = f"The answer of note {number} was cut off."
            builder.add(str(number), f"note {number}", outcome="truncated", reason=why)
        else:
            mood = "good" if number % 3 else "bad"
            output = {"summary": f"sum {number}", "mood": mood, "score": number % 7}
            builder.add(str(number), f"note {number}", output=output, answer=f'{{"raw": {number}}}')
    return builder.write(tmp_path_factory.mktemp("page") / "may.html")


@pytest.fixture(scope="module")
def hostile_builder() -> PageBuilder:
    """Every text that can be somebody else's is hostile."""
    builder = PageBuilder(("id", f"<b onclick={RUN}>text"), column=HOSTILE[1])
    for number, text in enumerate(HOSTILE):
        output = {"summary": text, f"field {text}": text, "label": HOSTILE[number % 2]}
        builder.add(text, text, output=output, answer=text, group=text, verdict={"reason": text})
        builder.add(text, text, outcome="failed", reason=text, answer=text, group=text)
    return builder


@pytest.fixture(scope="module")
def hostile_chain() -> PageBuilder:
    """Everything that steps, the gate and people say is hostile."""
    builder = PageBuilder(steps=("draft", "final"))
    for number, text in enumerate(HOSTILE):
        said = {"draft": {text: [{text: text}]}, "final": {"label": HOSTILE[number % 2]}}
        written = said | {"final": {"label": f"{text} mended"}}
        verdict = {"final": {"reason": text}}
        builder.add(
            text,
            text,
            output=said,
            answer=text,
            verdict=verdict,
            route="published",
            why=text,
            written=written,
            reviewer=text,
        )
        builder.add(text, text, output=said, answer=text, route="review_queue", why=text)
    return builder


def wait_for(browser: Chrome, script: str) -> None:
    WebDriverWait(browser, MAX_SECONDS * 4, poll_frequency=0.02).until(
        lambda driver: driver.execute_script(f"return {script}")
    )


def open_page(browser: Chrome, path: Path, *, fragment: str = "") -> None:
    open_file(browser, path, fragment=fragment)
    wait_for(browser, "document.querySelector('.items') !== null")


def list_rows(browser: Chrome) -> list[int]:
    texts = browser.execute_script(
        "return [...document.querySelectorAll('.items .opener')].map(each => each.textContent)"
    )
    return [int(text.replace(",", "")) for text in texts]


def search(browser: Chrome, text: str, *, n_found: int, drawn: str | None = None) -> None:
    """Type a query; `drawn` is how the page understands it, where that is other than as it was typed."""
    field = browser.find_element(By.ID, "search")
    field.clear()
    field.send_keys(text)
    shown = "document.querySelector('.items').dataset"
    wait_for(browser, f"{shown}.query === {json.dumps((drawn or text).lower())}")
    assert browser.execute_script(f"return {shown}.found") == str(n_found)


def find_button(browser: Chrome, label: str) -> WebElement:
    return browser.find_element(By.XPATH, f"//section[@id='items']//button[.='{label}']")


def test_what_strangers_wrote_stays_text(
    browser: Chrome, hostile_builder: PageBuilder, tmp_path: Path
):
    """Nothing of it runs, links, fetches or becomes an element, in the page and in every opened item."""
    open_page(browser, hostile_builder.write(tmp_path / "may.html"))
    elements = "return document.querySelectorAll('img, iframe, base, meta[http-equiv=refresh], [onclick], [onerror], [onload], [href^=javascript]').length"
    assert browser.execute_script(elements) == 0
    for number in range(len(list_rows(browser))):
        browser.execute_script(f"document.querySelectorAll('.items .opener')[{number}].click()")
    wait_for(browser, f"document.querySelectorAll('.detail .call').length === {2 * len(HOSTILE)}")
    assert browser.execute_script(elements) == 0
    assert browser.execute_script("return window.harmed") is None
    missing = "const shown = document.getElementById('items').textContent; return arguments[0].filter((text) => !shown.includes(text))"
    assert browser.execute_script(missing, HOSTILE[:-1]) == []
    assert read_console(browser) == []


def test_what_steps_and_people_said_stays_text(
    browser: Chrome, hostile_chain: PageBuilder, tmp_path: Path
):
    """Outputs of steps, reasons of the gate, names of reviewers, notes and what was written instead run nothing."""
    open_page(browser, hostile_chain.write(tmp_path / "may.html"))
    elements = "return document.querySelectorAll('img, iframe, base, meta[http-equiv=refresh], [onclick], [onerror], [onload], [href^=javascript]').length"
    for number in range(len(list_rows(browser))):
        browser.execute_script(f"document.querySelectorAll('.items .opener')[{number}].click()")
    wait_for(browser, f"document.querySelectorAll('.detail .call').length === {4 * len(HOSTILE)}")
    assert browser.execute_script(elements) == 0
    assert browser.execute_script("return window.harmed") is None
    missing = "const shown = document.getElementById(arguments[1]).textContent; return arguments[0].filter((text) => !shown.includes(text))"
    assert browser.execute_script(missing, HOSTILE[:-1], "items") == []
    assert browser.execute_script(missing, HOSTILE[:-1], "gate") == []
    assert read_console(browser) == []


@pytest.fixture(scope="module")
def reviewed_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain whose first item a person edited; of the others two wait and one is published."""
    builder = PageBuilder(steps=("extract", "classify"))
    for number in range(1, 5):
        kind = {"kind": "notice" if number % 2 else "bill", "sure": number / 5}
        said = {"classify": kind, "extract": {"names": [{"name": f"N{number}", "role": "clerk"}]}}
        if number == 1:
            builder.add(
                "1",
                "a",
                output=said,
                route="published",
                why="Edited by Ana: Read on.",
                written=said | {"classify": {"kind": "complaint", "sure": 0.2}},
            )
        else:
            is_sure = number == 4
            builder.add(
                str(number),
                "b",
                output=said,
                route="published" if is_sure else "review_queue",
                why="sure is 0.8." if is_sure else "sure is below 0.8.",
            )
    return builder.write(tmp_path_factory.mktemp("page") / "may.html")


def test_an_item_shows_its_steps_and_what_a_person_made_of_it(browser: Chrome, reviewed_page: Path):
    """Each step's output in the order of the steps, whose call is whose, why it is published, and what was changed."""
    open_page(browser, reviewed_page, fragment="#item-w1")
    wait_for(browser, "document.querySelector('.detail .call') !== null")
    detail = browser.find_element(By.CSS_SELECTOR, ".detail")
    heads = [each.text.lower() for each in detail.find_elements(By.CSS_SELECTOR, ".sides h4")]
    assert heads == [
        "input",
        "gate and review",
        "changed by ana",
        "output of extract",
        "output of classify",
    ]
    assert "published: Edited by Ana: Read on." in detail.text
    assert detail.find_element(By.TAG_NAME, "del").text == "notice"
    assert detail.find_element(By.TAG_NAME, "ins").text == "complaint"
    assert "• name: N1 · role: clerk" in detail.text
    assert [each.text for each in detail.find_elements(By.CSS_SELECTOR, ".call b")] == [
        "extract: attempt 1",
        "classify: attempt 1",
    ]
    assert "row 1 (line 2) edited by Ana" in " ".join(
        browser.find_element(By.ID, "gate").text.split()
    )


def test_what_waits_is_found(browser: Chrome, reviewed_page: Path):
    """By a click on what became of the items, and by what a person wrote."""
    open_page(browser, reviewed_page)
    find_button(browser, "waiting for a person 2").click()
    assert list_rows(browser) == [2, 3]
    find_button(browser, "all 4").click()
    find_button(browser, "Gate").click()
    assert list_rows(browser) == [1, 4, 2, 3]
    search(browser, "complaint", n_found=1)
    assert list_rows(browser) == [1]


def test_the_policy_holds_where_escaping_would_not(
    browser: Chrome, hostile_builder: PageBuilder, tmp_path: Path
):
    """Texts put into the page as HTML by force still run nothing, because only its own script may."""
    forced = "".join(HOSTILE[:4])
    page = hostile_builder.write(tmp_path / "may.html", **{"<main>": f"<main>{forced}"})
    open_page(browser, page)
    assert browser.execute_script("return document.querySelectorAll('main > img').length") == 1
    assert browser.execute_script("return window.harmed") is None
    complaints = read_console(browser)
    assert len([text for text in complaints if "Content Security Policy" in text]) >= 3


def test_failed_items_come_first(browser: Chrome, small_page: Path):
    """The table begins with what needs a person, and then goes on as the input does."""
    open_page(browser, small_page)
    assert list_rows(browser)[:8] == [10, 20, 30, 40, 50, 60, 1, 2]
    assert len(list_rows(browser)) == 50
    find_button(browser, "Next").click()
    assert list_rows(browser)[-1] == 59
    assert read_console(browser) == []


def test_items_are_found(browser: Chrome, small_page: Path):
    """By outcome, by words anywhere in input and answer, by the number of the row, and by a call's key."""
    open_page(browser, small_page)
    find_button(browser, "truncated 6").click()
    assert list_rows(browser) == [10, 20, 30, 40, 50, 60]
    search(browser, "NOTE 20", n_found=1)
    assert list_rows(browser) == [20]
    find_button(browser, "all 60").click()
    search(browser, '"raw": 17', n_found=1)
    assert list_rows(browser) == [17]
    search(browser, "row:42", n_found=1)
    assert list_rows(browser) == [42]
    search(browser, "row:42 note", n_found=1)
    search(browser, "line:43", n_found=1)
    assert list_rows(browser) == [42]
    search(browser, "row 42", n_found=1, drawn="row:42")
    assert list_rows(browser) == [42]
    search(browser, fingerprint_text("call 33"), n_found=1)
    assert list_rows(browser) == [33]
    search(browser, "nowhere", n_found=0)
    assert "Nothing found" in browser.find_element(By.ID, "items").text


def test_items_are_sorted(browser: Chrome, small_page: Path):
    """A click on a column's head sorts by it, numbers with the largest first; items without a value come last."""
    open_page(browser, small_page)
    find_button(browser, "score").click()
    rows = list_rows(browser)
    assert rows[0] == 6
    assert [row % 7 for row in rows] == sorted((row % 7 for row in rows), reverse=True)
    find_button(browser, "score").click()
    assert list_rows(browser)[0] == 7
    find_button(browser, "Next").click()
    assert list_rows(browser)[-6:] == [10, 20, 30, 40, 50, 60]
    sorted_by = browser.find_elements(By.CSS_SELECTOR, "th[aria-sort='ascending']")
    assert [head.text for head in sorted_by] == ["score"]


def test_an_item_opens_by_keyboard(browser: Chrome, small_page: Path):
    """Enter on its number shows the prompt as sent, the answer, what it took, and closes it again."""
    open_page(browser, small_page)
    search(browser, "row:5", n_found=1)
    browser.find_element(By.CSS_SELECTOR, ".items .opener").send_keys(Keys.ENTER)
    wait_for(browser, "document.querySelector('.detail .call') !== null")
    text = browser.find_element(By.CSS_SELECTOR, ".detail").text
    for expected in (SYSTEM, "<note>\n5 note 5\n</note>", '{"raw": 5}', "105 + 15 tokens", "429"):
        assert expected in text
    focused = browser.switch_to.active_element
    assert focused.get_attribute("aria-expanded") == "true"
    focused.send_keys(Keys.ENTER)
    assert browser.find_elements(By.CSS_SELECTOR, ".detail") == []


def test_a_cause_leads_to_its_item(browser: Chrome, small_page: Path):
    """A click on an item under its cause opens it in the table, also where another filter is on."""
    open_page(browser, small_page, fragment="#item-w17")
    wait_for(browser, "document.querySelector('.detail .call') !== null")
    assert "note 17" in browser.find_element(By.CSS_SELECTOR, ".detail").text
    find_button(browser, "accepted 54").click()
    browser.find_element(By.CSS_SELECTOR, ".cause a").click()
    wait_for(browser, "document.querySelectorAll('.detail').length === 2")
    assert "note 10" in browser.find_element(By.CSS_SELECTOR, ".detail").text


@pytest.mark.parametrize("has_gate", [False, True], ids=["row", "chain with gate"])
def test_a_page_of_20000_items_is_light_and_quick(
    browser: Chrome, tmp_path: Path, *, has_gate: bool
):
    """It has less than 15 MB, and opens, filters and searches all texts in less than three seconds each."""
    random = Random(1)  # noqa: S311 -- made-up words
    words = [
        "".join(random.choices("aeioubdfklmnprst", k=random.randint(2, 9))) for _ in range(4000)
    ]
    builder = PageBuilder(steps=("sum", "sort") if has_gate else ())
    text = ""
    for number in range(1, N_MANY + 1):
        text = " ".join(random.choices(words, k=80))
        output = {
            "summary": text[:100],
            "mood": random.choice(["good", "bad"]),
            "score": number % 7,
        }
        if not has_gate:
            builder.add(str(number), text, output=output, answer=text[:160])
            continue
        builder.add(
            str(number),
            text,
            output={"sum": {"summary": output["summary"]}, "sort": output},
            answer=text[:160],
            route="published" if number % 3 else "review_queue",
            why=f"score is {number % 7 / 7}, which is to be 0.8.",
            written={"sum": {"summary": text[:90]}, "sort": output} if number % 50 == 0 else None,
        )
    page = builder.write(tmp_path / "may.html")
    assert page.stat().st_size < MAX_BYTES
    open_page(browser, page)
    opened = browser.execute_script("return performance.now()")
    assert opened / 1000 < MAX_SECONDS
    for query in ("row:19999", text):
        assert measure_search(browser, query) < MAX_SECONDS, query
        assert len(list_rows(browser)) == 1


def measure_search(browser: Chrome, text: str) -> float:
    """Seconds from the input to the table that shows what was found."""
    milliseconds = browser.execute_async_script(
        """
        const [text, done] = arguments;
        const drawn = document.querySelector(".items").dataset;
        const field = document.getElementById("search");
        const begin = performance.now();
        field.value = text;
        field.dispatchEvent(new Event("input"));
        const look = () => drawn.query === text ? done(performance.now() - begin) : setTimeout(look, 5);
        look();
        """,
        text,
    )
    return milliseconds / 1000


def test_a_page_can_be_read_without_scripts(small_page: Path):
    """The summary and the first items are there, failed ones first, with a word about the rest."""
    with open_browser("--blink-settings=scriptEnabled=false") as browser:
        open_file(browser, small_page)
        section = browser.find_element(By.ID, "items")
        assert "The table of all 60 items" in section.text
        items = section.find_elements(By.CSS_SELECTOR, "details.item")
        assert len(items) == 20
        assert "row 10" in items[0].text
        items[0].find_element(By.TAG_NAME, "summary").click()
        assert "The answer of note 10 was cut off." in items[0].text


@pytest.fixture(scope="module")
def colourful_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An item of every outcome."""
    builder = PageBuilder()
    for outcome in OUTCOMES:
        is_accepted = outcome == "accepted"
        output = {"summary": "x" * 90, "score": 1} if is_accepted else None
        reason = None if is_accepted else f"Why it is {outcome}: " + "y" * 90
        builder.add(outcome, "z" * 200, output=output, outcome=outcome, reason=reason)
    return builder.write(tmp_path_factory.mktemp("page") / "may.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_a_phone_and_can_be_read(browser: Chrome, colourful_page: Path, scheme: str):
    """At 390 pixels nothing has to be scrolled sideways, and every text stands out from its ground."""
    use_colours(browser, scheme)
    resize(browser, PHONE)
    open_page(browser, colourful_page, fragment="#item-w2")
    wait_for(browser, "document.querySelector('.detail .call') !== null")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
    weak = {
        text: contrast
        for text, colour, ground in browser.execute_script(LIST_COLOURS)
        if (contrast := compute_contrast(colour, ground)) < 4.5
    }
    assert weak == {}


LIST_COLOURS = """
const ground = (element) => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (!/, 0\\)$/.test(colour)) return colour;
  }
  return "rgb(255, 255, 255)";
};
return [...document.querySelectorAll("body *")]
  .filter((each) => each.offsetParent && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .map((each) => [each.textContent.trim().slice(0, 40), getComputedStyle(each).color, ground(each)]);
"""


def compute_contrast(colour: str, ground: str) -> float:
    """The ratio of WCAG 2."""
    bright, dim = sorted(map(compute_luminance, (colour, ground)), reverse=True)
    return round((bright + 0.05) / (dim + 0.05), 2)


def compute_luminance(colour: str) -> float:
    red, green, blue = (int(each) / 255 for each in re.findall(r"\d+", colour)[:3])
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4
        for each in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_page_over_all_batches_finds_and_sorts(browser: Chrome, tmp_path: Path):
    """Each batch leads to its page; a click on a head sorts, a word finds."""
    summaries = [
        build_summary(f"b{number:02}", day=number, cost=str(number % 5), n_failed=number % 3)
        for number in range(1, 13)
    ]
    page = tmp_path / "index.html"
    page.write_text(render_index_html(build_report_index(TaskName("notes"), summaries)), "utf-8")
    open_file(browser, page)

    def list_batches() -> list[str]:
        shown = browser.find_elements(By.CSS_SELECTOR, "tbody tr:not([hidden]) th a")
        return [each.text for each in shown]

    assert list_batches() == [f"b{number:02}" for number in range(12, 0, -1)]
    browser.find_element(By.XPATH, "//button[.='Cost']").click()
    assert list_batches()[:2] == ["b09", "b04"]
    browser.find_element(By.ID, "search").send_keys("b1")
    assert sorted(list_batches()) == ["b10", "b11", "b12"]
    link = browser.find_element(By.LINK_TEXT, "b10").get_attribute("href") or ""
    assert link.endswith("/b10.html")
    assert read_console(browser) == []
