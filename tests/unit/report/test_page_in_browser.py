"""The page in a real browser: its style sheet is alive, counts lead to as many images, print loses nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.planting.reported import score

from headtohead.report.page import write_report

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), "")


@pytest.fixture
def shown() -> Iterator[Any]:
    """An empty tab of a phone's width; an error in a page's script fails the test."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    with api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 390, "height": 800}, accept_downloads=True)
        tab.on("pageerror", lambda error: pytest.fail(str(error)))
        yield tab
        browser.close()


@pytest.fixture
def page(run: Path, shown: Any) -> Any:
    shown.goto(write_report(run).as_uri())
    return shown


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
    page.query_selector(".confusion .miss a").focus()
    page.keyboard.press("Tab")  # a focus that came by keyboard is drawn
    page.keyboard.press("Shift+Tab")
    drawn = "getComputedStyle(document.activeElement).outlineWidth"
    assert page.evaluate(drawn) == "3px" and page.evaluate("document.activeElement.closest('.miss') !== null")
    page.query_selector("[data-chip=all]").click()
    page.query_selector("#gallery .case").click()
    assert page.evaluate("document.querySelector('#zoom').open")
    page.keyboard.press("Escape")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    assert page.evaluate(visible) == page.evaluate("document.querySelectorAll('#gallery > li').length")


def test_subgroups_lead_to_as_many_images(run: Path, shown: Any) -> None:
    samples = [
        {
            "id": f"{label}/{i}",
            "label": label,
            "group": f"g{i}",
            "extra": json.dumps({"sex": "f" if i < 3 else "m"}),
        }
        for i, label in enumerate(("no", "yes", "no", "yes"))
    ]
    pd.DataFrame(samples).to_parquet(run / "samples.parquet", index=False)
    verdict = json.loads((run / "verdict.json").read_text())
    own = {"score": score("vit-b16").model_dump(), "difference": None, "p_value": None}
    values = {
        value: {"n_samples": n, "n_groups": n, "contenders": {"vit-b16": own}}
        for value, n in (("f", 3), ("m", 1))
    }
    verdict["details"]["subgroups"] = {"sex": {"metric": "auroc", "values": values, "note": ""}}
    (run / "verdict.json").write_text(json.dumps(verdict))
    shown.goto(write_report(run).as_uri())
    links = shown.query_selector_all("a[data-f=subgroup]")
    assert [link.inner_text() for link in links] == ["3", "1"]
    for link in links:
        link.click()
        visible = shown.evaluate("document.querySelectorAll('#gallery > li:not([hidden])').length")
        assert visible == int(link.inner_text())
    assert "sex is m" in shown.inner_text("#showing")


def test_figures_tables_and_texts_can_be_taken_along(page: Any) -> None:
    with page.expect_download() as drawn:
        page.evaluate("document.querySelector('figure.fig .get').click()")
    assert Path(drawn.value.path()).read_text().startswith("<svg")
    with page.expect_download() as listed:
        page.evaluate("document.querySelector('.scroll + .get').click()")
    assert Path(listed.value.path()).read_text().startswith('"contender"')
    assert page.evaluate(
        "[...document.querySelectorAll('[data-copy]')].every(b => document.getElementById(b.dataset.copy))"
    )


def test_the_sum_stands_beside_each_map(run: Path, shown: Any) -> None:
    (run / "maps").mkdir()
    grid = {
        "rows": 1, "columns": 2, "cells": "fwA=", "box": [0, 0, 8, 8], "size": [8, 8], "target": "yes",
        "log_odds": -0.4, "localised": 0.6, "sanity": "passed", "offset": 0.1,
        "words": "Half lies on 12.5 %, left of −3.", "not_localised": {"class token": -1.1},
    }  # fmt: skip
    content = {
        "method": "contributions",
        "unit": "log-odds",
        "scale": 4.0,
        "color_limit": 1.0,
        "contenders": {"vit-b16": {"no/0": grid}},
    }
    (run / "maps" / "grids.json").write_text(json.dumps(content))
    shown.goto(write_report(run).as_uri())
    shown.evaluate("document.querySelector('#c0 .case').click()")
    assert shown.inner_text("#zoom .views figure:last-child figcaption").endswith(
        "Half lies on 12.5 %, left of −3."
    )
    assert "Failed" not in shown.inner_text("#zoom")
    rows = [row.inner_text().split() for row in shown.query_selector_all("#zoom .sum tr")]
    assert [row[-1] for row in rows] == ["+0.10", "+0.60", "−1.10", "−0.40"]
    widths = shown.evaluate(
        "[...document.querySelectorAll('#zoom .sum i')].map(e => parseFloat(e.style.width))"
    )
    ends = shown.evaluate("[...document.querySelectorAll('#zoom .sum i')].map(e => parseFloat(e.style.left))")
    assert ends[2] + widths[2] == pytest.approx(50 + 50 * 0.7 / 0.7) and ends[2] == pytest.approx(ends[3]), (
        "the last step ends where the log-odds are"
    )
    shown.emulate_media(media="print")
    shown.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown.evaluate("getComputedStyle(document.querySelector('#maps')).display") == "grid"
    assert shown.evaluate("document.querySelector('#maps canvas').getBoundingClientRect().width") > 20


def test_a_map_that_failed_its_checks_says_so_beside_it(run: Path, shown: Any) -> None:
    (run / "maps").mkdir()
    grid = {
        "rows": 1, "columns": 2, "cells": "fwA=", "box": [0, 0, 8, 8], "size": [8, 8], "target": "yes",
        "log_odds": -0.4, "localised": 0.6, "sanity": "failed: not repeatable", "words": "Half lies left.",
    }  # fmt: skip
    content = {
        "method": "contributions", "unit": "log-odds", "scale": 4.0, "color_limit": 1.0,
        "contenders": {"vit-b16": {"no/0": grid}},
    }  # fmt: skip
    (run / "maps" / "grids.json").write_text(json.dumps(content))
    shown.goto(write_report(run).as_uri())
    shown.evaluate("document.querySelector('#c0 .case').click()")
    said = shown.inner_text("#zoom .views figure:last-child figcaption")
    assert said == "vit-b16: Failed a check, so grey and no evidence. Half lies left."


def test_print_holds_the_errors_and_says_how_many_images_it_leaves_out(page: Any) -> None:
    note = "document.querySelector('.print')"
    cards = "[...document.querySelectorAll('#gallery > li')]"
    displayed = f"{cards}.filter(e => getComputedStyle(e).display !== 'none').length"
    assert page.evaluate(f"getComputedStyle({note}).display") == "none" and page.evaluate(displayed) == 4
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(displayed) == 2, "every contender calls all four images yes, and two are"
    assert "the other 2 are on the page" in page.evaluate(f"{note}.textContent")
    squares = "getComputedStyle(document.querySelector('.matrix li, .legend i')).printColorAdjust"
    assert page.evaluate(squares) == "exact", "colours that say something are printed without being asked for"


def test_the_slider_recomputes_the_table(page: Any) -> None:
    page.evaluate("const t = document.querySelector('#t'); t.value = 65; t.dispatchEvent(new Event('input'))")
    row = page.query_selector("#per1000 tbody tr")
    cells = [cell.inner_text() for cell in row.query_selector_all("td")]
    assert cells[:4] == ["0", "500", "0", "500"], (
        "all probabilities are 0.6, so nobody is called positive at 0.65"
    )
    assert cells[6] == "not defined"
