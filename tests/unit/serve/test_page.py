"""The page in a real browser: files in, answers out, on a desk and on a phone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from tests.unit.serve.conftest import FakeModel, dicom, in_thread, png

from headtohead.deploy.prediction import ImagePrediction
from headtohead.serve.app import build_app
from headtohead.serve.routes.page import STATIC
from headtohead.serve.settings import ServeSettings

CHROMIUM = Path("/usr/bin/chromium")
TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """An installed Chromium; nothing is downloaded."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with playwright.sync_playwright() as run:
        found = run.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server with two models."""
    settings = ServeSettings(port=0, max_bytes=20_000_000)
    with in_thread(build_app([FakeModel(), FakeModel("other", "cd" * 32)], settings), settings) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, at the width of a desk; an error of the script or of the policy fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = context.new_page()
    problems: list[str] = []
    requests: list[str] = []
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.on("console", lambda line: problems.append(line.text) if "Content Security" in line.text else None)
    found.on("request", lambda request: requests.append(request.url))
    found.goto(address)
    found.get_by_text("What these models were tested on").wait_for()
    yield found
    context.close()
    assert problems == []
    assert all(url.startswith((address, "blob:", "data:")) for url in requests)  # nothing from elsewhere


def send(page: Any, *files: tuple[str, bytes]) -> None:
    """Choose files and wait for all answers."""
    chosen = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files
    ]
    page.set_input_files("#files", chosen)
    page.get_by_text(f"{len(files)} of {len(files)}", exact=True).wait_for()


def middle(page: Any) -> list[int]:
    """Return the colour in the middle of the canvas."""
    code = "c => [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data]"
    return list(page.locator("#canvas").evaluate(code))


class LongNames(FakeModel):
    """Has a class with a short name and one with a long name."""

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[ImagePrediction]:
        """Return one result per item."""
        told = {"no": 0.25, "a much longer name of a class": 0.75}
        return [one.model_copy(update={"probabilities": told}) for one in super().predict_bytes(items)]


def test_the_bars_of_all_classes_begin_and_end_in_one_line(browser: Any) -> None:
    settings = ServeSettings(port=0)
    with in_thread(build_app([LongNames()], settings), settings) as port:
        context = browser.new_context(viewport={"width": 390, "height": 900})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        send(page, ("a.png", png(245)))
        short, long = (page.locator(".track").nth(i).bounding_box() for i in range(2))
        context.close()
    assert short["x"] == long["x"] and short["width"] == long["width"] > 60


def test_a_png_is_shown_with_what_each_model_says(page: Any) -> None:
    send(page, ("bright.png", png(245)))
    cards = page.locator(".card")
    assert cards.count() == 2
    for name, card in zip(("bright", "other"), cards.all(), strict=True):
        assert name in card.inner_text() and "Of 100 such images about 96 are “yes”." in card.inner_text()
        assert card.locator(".label").inner_text() == "yes"
        assert "training" in card.locator(".flags").inner_text()
    assert page.locator("#agreement").inner_text() == "Both models say “yes”."
    page.get_by_text("16 × 16 pixels").wait_for()
    assert middle(page)[:3] == [245, 245, 245]
    assert "Research use only." in page.locator("header").inner_text()
    about = page.locator("#about").inner_text()
    assert "Made up." in about and "measured when this server started" in about


def test_no_probability_is_never_or_always_and_figures_stay_in_one_line(page: Any) -> None:
    send(page, ("white.png", png(255)), ("black.png", png(0)), ("grey.png", png(128)))
    for name, told in (("white.png", ["< 0.1 %", "> 99.9 %"]), ("black.png", ["> 99.9 %", "< 0.1 %"])):
        page.get_by_role("button", name=name).click()
        percents = page.locator(".card").first.locator(".percent")
        assert percents.all_inner_texts() == told
        assert all(one.bounding_box()["height"] < 30 for one in percents.all())
    page.get_by_role("button", name="grey.png").click()
    assert page.locator("#agreement").inner_text() == "Both models say “yes”, and both abstain."
    assert page.locator("#list-rows tr").last.locator("td").nth(1).inner_text().startswith("yes 50.2 %")


def test_a_dicom_has_a_window_that_drag_keys_and_sliders_change(page: Any) -> None:
    send(page, ("scan.dcm", dicom(level=40000, side=64)))
    page.locator("#window-row").wait_for()
    assert page.locator("#window-value").inner_text() == "0 to 39999"
    before = middle(page)[0]
    assert before == pytest.approx(127, abs=3)
    box = page.locator("#canvas").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 300)
    page.mouse.up()
    assert middle(page)[0] > before + 20  # a lower level is brighter
    page.locator("#canvas").press("0")
    assert middle(page)[0] == before
    page.locator("#canvas").press("ArrowUp")
    assert middle(page)[0] < before
    page.locator("#zoom-reset").click()
    page.locator("#level").fill("100")
    assert middle(page)[0] > before
    page.locator("#canvas").press("0")
    page.mouse.wheel(0, -400)
    page.locator("#zoom-in").click()
    assert "16 bit" in page.locator("#facts").inner_text()


def test_a_text_file_says_why_it_is_refused(page: Any) -> None:
    send(page, ("notes.png", b"no image at all"), ("dark.png", png(5)))
    assert "no image format" in page.locator(".card").inner_text()
    page.get_by_role("button", name="dark.png").click()
    page.locator(".card .label").first.wait_for()
    assert page.locator(".card .label").first.inner_text() == "no"
    page.keyboard.press("k")
    assert page.locator("#viewer-title").inner_text() == "notes.png"


def test_thirty_megapixels_are_shown(page: Any) -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.full((5000, 6000), 130, np.uint8)).save(buffer, "PNG")
    send(page, ("large.png", buffer.getvalue()))
    page.get_by_text("6000 × 5000 pixels").wait_for()
    assert page.locator(".tag").first.inner_text() == "Abstains: no or yes"
    assert middle(page)[:3] == [130, 130, 130]


def test_the_list_goes_out_as_csv(page: Any) -> None:
    send(page, ("=cmd.png", png(10)), ("b.txt", b"text"))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8"))))
    assert [(row["path"], row["model"], row["predicted"]) for row in rows] == [
        ("'=cmd.png", "bright", "no"),
        ("'=cmd.png", "other", "no"),
        ("b.txt", "", ""),
    ]
    assert (
        float(rows[0]["prob_yes"]) == pytest.approx(10 / 255, abs=1e-6)
        and "no image format" in rows[2]["error"]
    )
    page.get_by_role("button", name="Clear").click()
    assert (
        page.locator("#list").is_hidden() and page.locator("#drop-title").inner_text() == "Drop images here"
    )


def test_files_can_be_dropped(page: Any) -> None:
    data = page.evaluate_handle(
        "bytes => { const d = new DataTransfer(); d.items.add(new File([new Uint8Array(bytes)], 'd.png')); return d }",
        list(png(30)),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": data})
    page.get_by_text("1 of 1", exact=True).wait_for()
    assert page.locator(".card").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(browser: Any, address: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    page = context.new_page()
    page.goto(address)
    page.get_by_text("What these models were tested on").wait_for()
    send(page, ("a-long-name-without-any-space-in-it-as-scanners-write-them.dcm", dicom()), ("b", b"x"))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert (
        page.locator(".table-wrap").evaluate("w => w.scrollWidth - w.clientWidth") <= 0
    )  # nothing is cut off
    small = page.evaluate(
        "[...document.querySelectorAll('button:not(td button), .button')].filter(b => b.offsetParent && "
        "b.getBoundingClientRect().height < 36).map(b => b.textContent)"
    )
    assert small == []
    context.close()


def test_a_token_is_asked_for(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    settings = ServeSettings(port=0, token_file=tmp_path / "token")
    with in_thread(build_app([FakeModel()], settings), settings) as port:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator("#token-value").fill(TOKEN)
        page.get_by_role("button", name="Continue").click()
        page.get_by_text("bright").first.wait_for()
        send(page, ("a.png", png()))
        assert page.locator(".card").count() == 1
        context.close()


def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_code() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text and "https://" not in text, path.name
        assert "innerHTML" not in text and "eval(" not in text, path.name
    page = (STATIC / "index.html").read_text("utf-8")
    assert "style=" not in page and " on" + "click" not in page and page.count("<script") == 1
