"""What is fuzzed: one function for each place where data from others comes in.

Each takes a source of chance and a folder of its own, makes one damaged input, and hands it to the product. Only
`HeadToHeadError` may come out.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.fuzz.mutations import WORDS, damaged_bytes, damaged_record, damaged_text, pick

__all__ = ["TARGETS"]

Target = Callable[[np.random.Generator, Path], None]
Rng = np.random.Generator


@lru_cache
def _png() -> bytes:
    import PIL.Image

    buffer = io.BytesIO()
    PIL.Image.fromarray(np.arange(144, dtype=np.uint8).reshape(12, 12)).save(buffer, "PNG")
    return buffer.getvalue()


@lru_cache
def _images() -> bytes:
    """A zip of eight small images in two classes, with a table."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for label in ("no", "yes"):
            for number in range(4):
                archive.writestr(f"{label}/{number}.png", _png())
    return buffer.getvalue()


def archives(rng: Rng, folder: Path) -> None:
    """Zip and tar archives with damaged bytes, headers and names."""
    from headtohead.data.listing.discover import discover_images
    from headtohead.data.options import LoadOptions
    from headtohead.data.storage.open import open_store

    kind = int(rng.integers(4))
    names = [f"{label}/{n}.png" for label in ("no", "yes") for n in range(3)]
    names = [str(pick(rng, WORDS)) + name if rng.random() < 0.1 else name for name in names]
    buffer = io.BytesIO()
    try:
        if kind < 2:
            with zipfile.ZipFile(
                buffer, "w", zipfile.ZIP_DEFLATED if kind else zipfile.ZIP_STORED
            ) as archive:
                for name in names:
                    archive.writestr(name[:60_000].encode("utf-8", "replace").decode(), _png())
                if rng.random() < 0.3:
                    archive.writestr("t.csv", damaged_text(rng, _MANIFEST, ",").encode("utf-8", "replace"))
        else:
            form = int(pick(rng, (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)))
            with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
                for name in names:
                    info = tarfile.TarInfo(name)
                    info.size = len(_png())
                    info.type = bytes(
                        pick(rng, (b"0", b"0", b"0", b"1", b"2", b"5", b"6", b"S", b"L", b"x", b"g"))
                    )
                    tar.addfile(info, io.BytesIO(_png()))
    except (ValueError, IndexError, tarfile.TarError, zipfile.BadZipFile):
        return  # the writer refuses such a name
    content = damaged_bytes(rng, buffer.getvalue()) if rng.random() < 0.9 else buffer.getvalue()
    path = folder / "a.bin"
    path.write_bytes(gzip.compress(content, 1) if kind == 3 else content)
    store = open_store(str(path))
    for entry in list(store.files())[:3]:
        _quiet(lambda path=entry.path: store.read(path))  # type: ignore[misc]
    discover_images(str(path), LoadOptions())


_MANIFEST = (("path", "label", "group", "split", "frame"), ("no/0.png", "no", "a", "train", ""),
             ("no/1.png", "no", "b", "train", ""), ("yes/0.png", "yes", "c", "test", ""),
             ("yes/1.png", "yes", "d", "test", ""))  # fmt: skip


def tables(rng: Rng, folder: Path) -> None:  # noqa: ARG001
    """Tables of any kind: text, JSON, Parquet, workbooks."""
    from headtohead.data.listing.table_reader import parse_table

    kind = int(rng.integers(5))
    separator = str(pick(rng, (",", ";", "\t", "|")))
    if kind < 2:
        text = damaged_text(rng, _MANIFEST, separator)
        codec = str(pick(rng, ("utf-8", "utf-16", "latin-1", "utf-8-sig")))
        content = text.encode(codec, "replace")
        parse_table(
            str(pick(rng, ("t.csv", "t.tsv", "t.tab"))), damaged_bytes(rng, content) if kind else content
        )
    elif kind == 2:
        rows = [dict(zip(_MANIFEST[0], row, strict=True)) for row in _MANIFEST[1:]]
        content = json.dumps(damaged_record(rng, rows)).encode("utf-8", "replace")
        parse_table("t.json", damaged_bytes(rng, content) if rng.random() < 0.4 else content)
    elif kind == 3:
        parse_table("t.parquet", damaged_bytes(rng, _parquet()))
    else:
        parse_table("t.xlsx", damaged_bytes(rng, _workbook()))


@lru_cache
def _parquet() -> bytes:
    import pandas as pd

    buffer = io.BytesIO()
    frame = pd.DataFrame([list(row) for row in _MANIFEST[1:]], columns=list(_MANIFEST[0]))
    frame.assign(n=[1, 2, 3, 4], when=pd.Timestamp("2020-01-01")).to_parquet(buffer, index=False)
    return buffer.getvalue()


@lru_cache
def _workbook() -> bytes:
    import openpyxl

    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in _MANIFEST:
        book.active.append(list(row))
    book.save(buffer)
    return buffer.getvalue()


def manifests(rng: Rng, folder: Path) -> None:
    """Tables of images beside their images."""
    from headtohead.data.listing.discover import discover_images
    from headtohead.data.options import LoadOptions

    _lay_out(folder)
    text = damaged_text(rng, _MANIFEST, ",")
    (folder / "t.csv").write_bytes(text.encode("utf-8", "replace"))
    discover_images(str(folder / "t.csv"), LoadOptions())


def groups(rng: Rng, folder: Path) -> None:
    """`groups.csv` as a reviewer, or somebody else, sends it back."""
    from headtohead.data.listing.groups_csv import read_groups

    _lay_out(folder)
    names = [f"{label}/{number}.png" for label in ("no", "yes") for number in range(4)]
    rows = [("path", "group"), *((name, f"g{number // 2}") for number, name in enumerate(names))]
    (folder / "groups.csv").write_bytes(damaged_text(rng, rows, ",").encode("utf-8", "replace"))
    read_groups(folder / "groups.csv", _dataset(str(folder)))


@lru_cache(maxsize=1)
def _dataset(folder: str) -> Any:
    from headtohead.data.load import load

    return load(folder)


def _lay_out(folder: Path) -> None:
    if not (folder / "no").is_dir():
        with zipfile.ZipFile(io.BytesIO(_images())) as archive:
            archive.extractall(folder)


def predictions(rng: Rng, folder: Path) -> None:
    """Predictions of models, read as `verdict` reads them."""
    from headtohead.evaluate.external_predictions import read_predictions

    rows = [("sample", "label", "score", "group", "model", "repeat", "fold")]
    for model in ("a", "b"):
        for number in range(8):
            label = ("no", "yes")[number % 2]
            rows.append(
                (f"s{number}", label, f"{rng.random():.3f}", f"g{number // 2}", model, "0", f"{number % 2}")
            )
    suffix = str(pick(rng, (".csv", ".csv", ".json", ".parquet")))
    path = folder / f"p{suffix}"
    if suffix == ".csv":
        path.write_bytes(damaged_text(rng, rows, str(pick(rng, (",", ";")))).encode("utf-8", "replace"))
    else:
        records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        if suffix == ".json":
            path.write_text(json.dumps(damaged_record(rng, records)), encoding="utf-8")
        else:
            import pandas as pd

            frame = pd.DataFrame(records)
            at = str(pick(rng, list(frame.columns)))
            frame[at] = [str(pick(rng, WORDS)).encode("utf-8", "replace").decode() for _ in range(len(frame))]
            buffer = io.BytesIO()
            frame.to_parquet(buffer, index=False)
            content = buffer.getvalue()
            path.write_bytes(damaged_bytes(rng, content) if rng.random() < 0.5 else content)
    read_predictions([path], score=pick(rng, ("probability", "probability", "percent", "logit", "ordinal")))


def readings(rng: Rng, folder: Path) -> None:
    """Channels, volumes and sizes as a user states them, of damaged files that hold several."""
    from benchmarks.fuzz.layered import layered_files

    from headtohead.cli.config_options import split_numbers
    from headtohead.data.listing.discover import discover_images
    from headtohead.data.options import LoadOptions
    from headtohead.data.readers import Limits, count_frames, read_image
    from headtohead.data.readers.reading import Reading

    numbers = ("0", "1", "2", "4", "5", "65535", "-1", "²", " 3", "", "x", "9" * 5000)
    stated = ",".join(str(pick(rng, numbers[:5] if rng.random() < 0.8 else numbers)) for _ in range(3))
    volume = pick(rng, (None, None, 0, 1, 2, 7, 1 << 40, -1))
    size = pick(rng, (None, None, 0.0001, 1e-9, 1e9))
    channels = split_numbers(pick(rng, (stated, stated.partition(",")[0])), "--channels")
    reading = Reading(volume, channels if rng.random() < 0.7 else (), size)
    files = layered_files()
    name = str(pick(rng, sorted(files)))
    content = damaged_bytes(rng, files[name]) if rng.random() < 0.8 else files[name]
    limits = Limits(pixels=1_000_000, frames=500, voxels=4_000_000, unfolded=1 << 26, ratio_floor=1 << 24)
    frame = pick(rng, (None, 0, 1, 99))
    _quiet(lambda: count_frames(content, limits=limits, reading=reading))
    if rng.random() < 0.9:
        read_image(content, frame=frame, limits=limits, reading=reading)
        return
    (folder / "a").mkdir(exist_ok=True)
    (folder / "b").mkdir(exist_ok=True)
    suffix = name.rpartition(".")[2]
    (folder / "a" / f"x.{suffix}").write_bytes(content)
    (folder / "b" / f"y.{suffix}").write_bytes(files[name])
    discover_images(
        str(folder), LoadOptions(channels=reading.channels, volume=volume, max_megapixels=size, workers=1)
    )


_GRAMMAR = ("efficientnet-lite0", "dinov2-small", "@", "probe", "finetune", "partial:2", "mlp", "lora", "seeds(",
            "folds(", "ensemble(", "hybrid(", "snapshots(", ")", ",", "3", "²", "9" * 5000, "path:", "timm:",
            "scratch:", "hf:", "test_vit", "?arch=", "=", "views=1", " ", "(", "[/x]", "\x1b", "..", "/",
            "--index-url=x", "(" * 500)  # fmt: skip


def grammar(rng: Rng, folder: Path) -> None:  # noqa: ARG001
    """Expressions of contenders."""
    from headtohead.contenders.expression import parse_list
    from headtohead.contenders.plan import ContenderPlan

    words = [str(pick(rng, _GRAMMAR)) for _ in range(int(rng.integers(1, 12)))]
    specs = parse_list("".join(words))
    ContenderPlan.from_specs(specs)


def patterns(rng: Rng, folder: Path) -> None:  # noqa: ARG001
    """Regular expressions of the user on ordinary names."""
    from headtohead.data.listing.selection.user_pattern import UserPattern

    parts = ("a", "(", ")", "+", "*", "?", "|", "[a-z]", "\\w", "\\d", ".", "^", "$", "(?:", "(?P<label>", "{2,}",
             "(?=", "\\1", "[", "]", "(a+)+", "(.*)*", "{9999}", "(?<=", "\\p{L}", "(?i)")  # fmt: skip
    pattern = "".join(str(pick(rng, parts)) for _ in range(int(rng.integers(1, 9))))
    read = UserPattern(pattern, "label_from", "label").first_group
    for _ in range(3):
        read("yes/" + "ab1_" * int(rng.integers(1, 12)) + ".png")


def run_records(rng: Rng, folder: Path) -> None:
    """JSON and TOML files of a run folder that somebody sends."""
    from headtohead.api.studies import load_run
    from headtohead.core.run_folder import RunFolder

    sound = _run(str(folder))
    names = ("study.toml", "verdict.json", "audit.json", "provenance.json", "recipe.json", "images.json")
    name = str(pick(rng, names))
    content = sound[name]
    if name.endswith(".json") and rng.random() < 0.7:
        content = json.dumps(damaged_record(rng, json.loads(content))).encode("utf-8", "replace")
    else:
        content = damaged_bytes(rng, content)
    _restore(folder, sound, {name: content})
    run = RunFolder(folder / "run")
    for job in (run.config, run.verdict, lambda: run.json(name) if name.endswith("json") else None):
        _quiet(job)
    found = load_run(folder / "run")
    for part in ("scores", "comparisons", "contenders", "audit"):
        _quiet(lambda part=part: getattr(found, part))  # type: ignore[misc]
    repr(found)


def reports(rng: Rng, folder: Path) -> None:
    """Pages from damaged records."""
    from headtohead.report.audit_page import write_audit_page
    from headtohead.report.page import write_report

    sound = _run(str(folder))
    changed = {}
    for name in (
        "verdict.json",
        "audit.json",
        "images.json",
        "thumbs.json",
        "provenance.json",
        "contenders/vit-b16.json",
    ):
        if rng.random() < 0.4:
            changed[name] = json.dumps(damaged_record(rng, json.loads(sound[name]))).encode(
                "utf-8", "replace"
            )
    if rng.random() < 0.2:
        changed["predictions.parquet"] = damaged_bytes(rng, sound["predictions.parquet"])
    _restore(folder, sound, changed)
    job: Callable[[Path], Path] = write_report if rng.random() < 0.5 else write_audit_page
    page = job(folder / "run").read_text(encoding="utf-8")
    for forbidden in ("<script>alert", 'src="http', "url(http", "onerror="):
        if forbidden in page:
            raise AssertionError(f"the page holds {forbidden}")


@cache
def _run(folder: str) -> Mapping[str, bytes]:
    from tests.planting.reported import write_run

    run = write_run(Path(folder) / "run")
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def _restore(folder: Path, sound: Mapping[str, bytes], changed: Mapping[str, bytes]) -> None:
    for name, content in {**sound, **changed}.items():
        (folder / "run" / name).write_bytes(content)


def model_configs(rng: Rng, folder: Path) -> None:
    """Configurations of model folders."""
    from headtohead.backbones.catalog import resolve

    sound = {
        "model_type": "vit", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64,
        "patch_size": 16, "intermediate_size": 48, "id2label": {"0": "a"},
    }  # fmt: skip
    timm = {
        "architecture": "test_vit",
        "model_args": {"depth": 2},
        "pretrained_cfg": {"mean": [0.5] * 3, "crop_pct": 1},
    }
    config = json.dumps(damaged_record(rng, pick(rng, (sound, timm))))
    (folder / "model.safetensors").write_bytes(b"")
    (folder / "config.json").write_bytes(
        damaged_bytes(rng, config.encode("utf-8", "replace"))
        if rng.random() < 0.2
        else config.encode("utf-8", "replace")
    )
    beside = {"size": {"height": 64}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps(damaged_record(rng, beside)))
    resolve(f"path:{folder}")


def _quiet(job: Callable[[], object]) -> None:
    """Run a job that may refuse its input."""
    from headtohead.core.errors import HeadToHeadError

    try:
        job()
    except HeadToHeadError:
        return


TARGETS: Mapping[str, tuple[Target, float]] = {
    "tables": (tables, 30),
    "grammar": (grammar, 20),
    "predictions": (predictions, 12),
    "groups": (groups, 10),
    "manifests": (manifests, 8),
    "archives": (archives, 10),
    "readings": (readings, 10),
    "patterns": (patterns, 4),
    "run records": (run_records, 5),
    "reports": (reports, 0.5),
    "model configs": (model_configs, 3),
}
"""Name -> the function, and how often it is taken."""
