"""The page in a real browser: its style sheet is alive, counts lead to as many images, print loses nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headtohead.report.page import write_report

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), "")


@pytest.fixture
def page(run: Path) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    target = write_report(run)
    with api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 390, "height": 800})
        shown.on("pageerror", lambda error: pytest.fail(str(error)))
        shown.goto(target.as_uri())
        yield shown
        browser.close()


def test_counts_lead_to_as_many_images_and_nothing_is_lost_in_print(page: Any) -> None:
    assert "Segoe UI" in page.evaluate("getComputedStyle(document.body).fontFamily")
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 60
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (
        "no sideways scrolling on a phone"
    )
    visible = "document.querySelectorAll('#gallery > li:not([hidden])').length"
    links = page.query_selector_all("a[data-f]")
    assert len(links) >= 12
    for link in links:
        link.click()
        assert page.evaluate(visible) == int(link.inner_text())
    for chip in page.query_selector_all("[data-chip]"):
        chip.click()
        assert page.evaluate(visible) == int(chip.query_selector("b").inner_text())
    page.query_selector("[data-chip=all]").click()
    page.query_selector("#gallery .case").click()
    assert page.evaluate("document.querySelector('#zoom').open")
    page.keyboard.press("Escape")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    assert page.evaluate(visible) == page.evaluate("document.querySelectorAll('#gallery > li').length")


def test_print_holds_the_errors_and_says_how_many_images_it_leaves_out(page: Any) -> None:
    note = "document.querySelector('.print')"
    cards = "[...document.querySelectorAll('#gallery > li')]"
    displayed = f"{cards}.filter(e => getComputedStyle(e).display !== 'none').length"
    assert page.evaluate(f"getComputedStyle({note}).display") == "none" and page.evaluate(displayed) == 4
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(displayed) == 2, "every contender calls all four images yes, and two are"
    assert "the other 2 are on the page" in page.evaluate(f"{note}.textContent")


def test_the_slider_recomputes_the_table(page: Any) -> None:
    page.evaluate("const t = document.querySelector('#t'); t.value = 65; t.dispatchEvent(new Event('input'))")
    row = page.query_selector("#per1000 tbody tr")
    cells = [cell.inner_text() for cell in row.query_selector_all("td")]
    assert cells[:4] == ["0", "500", "0", "500"], (
        "all probabilities are 0.6, so nobody is called positive at 0.65"
    )
    assert cells[6] == "not defined"
