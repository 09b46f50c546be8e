"""Size of the page: below 2 MB with 253 images and the maps of two contenders.

On the 253 brain MRI images the page has 1.83 MB: 235 different images of 4.3 kB, 1.5 kB for the card, the answers,
the maps and the points in figures of each image, and 0.44 MB that do not grow with the images. Here what each image
adds is held, and the image itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tests.planting.reported import ORDER

from headtohead.core.records import Box
from headtohead.data.demo.scene import draw_scene
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import ImageMap
from headtohead.explain.run.files import grid_entry
from headtohead.report.page import write_report
from headtohead.report.views.image_store import ImageStore
from headtohead.studies.report_images import webp

N = 253
REPEATS = 12  # of which the page holds five
EACH = 1_700  # bytes of an image besides itself: 253 times that, 253 x 4.3 kB and 0.44 MB are below 2 MB
SIDES = (7, 16)  # cells of a CNN and of a vision transformer
# A drawn head of the demonstration set has less detail than a brain MRI image.
DRAWN = 3_600


def address(number: int) -> str:
    """Return an image that no other sample has."""
    return f"data:image/png;base64,{number:08d}"


def entry(rng: np.random.Generator, sample: str, contender: str, side: int) -> dict[str, Any]:
    """Return a map as a run stores it."""
    grid = rng.normal(size=(side, side)) / side**2
    elsewhere = {"class token": 0.61, "MLP": -0.22}
    whole = Attribution(grid, 1, float(grid.sum()) + 0.14 + 0.39, 0.14, elsewhere)
    found = ImageMap(
        sample, contender, "contributions", ("no", "yes"), whole, Box(12, 9, 214, 207), (224, 224)
    )
    return grid_entry(found, 0.02)


def fill(run: Path, n: int) -> int:
    """Give a run folder n images with maps of two contenders, and return the size of its page in bytes."""
    rng = np.random.default_rng(0)
    ids = [f"{('no', 'yes')[i % 2]}/{('no', 'yes')[i % 2]} {i}.jpg" for i in range(n)]
    p = rng.random((len(ORDER), REPEATS, n))
    rows = [
        {"sample": sample, "group": f"g{i:04d}", "repeat": repeat, "fold": i % 5, "contender": name,
         "label": sample[: sample.index("/")], "prob_no": 1 - p[c, repeat, i], "prob_yes": p[c, repeat, i]}
        for c, name in enumerate(ORDER) for repeat in range(REPEATS) for i, sample in enumerate(ids)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(run / "predictions.parquet", index=False)
    box = {"width": 224, "height": 224, "box": [12, 9, 214, 207]}
    gallery = {sample: {"src": address(i), **box} for i, sample in enumerate(ids)}
    (run / "images.json").write_text(json.dumps({"gallery": gallery, "shown": []}))
    maps = {
        name: {sample: entry(rng, sample, name, side) for sample in ids}
        for name, side in zip(ORDER[:2], SIDES, strict=True)
    }
    content = {
        "method": "contributions",
        "unit": "log-odds",
        "scale": 0.02,
        "color_limit": 0.02,
        "contenders": maps,
    }
    (run / "maps").mkdir(exist_ok=True)
    (run / "maps/grids.json").write_text(json.dumps(content))
    near = {sample: [ids[(i + k) % n] for k in (1, 2, 3)] for i, sample in enumerate(ids)}
    points = {sample: [float(i % 7), float(i % 5)] for i, sample in enumerate(ids)}
    features = {name: {"points": points, "explained": [0.2, 0.1], "neighbours": near} for name in ORDER[:2]}
    (run / "features.json").write_text(json.dumps({"backbones": features}))
    return write_report(run).stat().st_size


def test_what_an_image_adds_to_the_page_keeps_253_of_them_below_2_mb(run: Path) -> None:
    few, many = fill(run, 53), fill(run, N)
    images = sum(len(address(i)) for i in range(53, N))
    assert (many - few - images) / (N - 53) < EACH


def test_an_image_is_small() -> None:
    heads = [np.asarray(draw_scene(5, i, i % 2 == 0).pixels) for i in range(6)]
    assert np.mean([len(webp(head)) for head in heads]) < DRAWN


def test_copies_of_an_image_stand_once_in_the_page() -> None:
    one, other = address(1), address(2)
    gallery = {name: {"src": src} for name, src in (("a", one), ("copy of a", one), ("b", other))}
    store = ImageStore(gallery, {"thumbnail": other})
    numbers = [store.number(name) for name in ("a", "copy of a", "b", "thumbnail")]
    assert numbers == [0, 0, 1, 1] and store.add(one) == 0
    assert store.css.count(one) == store.css.count(other) == 1
    assert f".i1{{background-image:url({other})}}" in store.css
