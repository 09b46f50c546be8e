"""Page of an audit: one HTML file from `audit.json` and `thumbs.json`, without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic
from headtohead.core.data_record import data_rows
from headtohead.core.errors import RunFolderError
from headtohead.core.formatting import format_percent, pluralize
from headtohead.core.tables.comparison import RocCurve
from headtohead.core.tables.stored_files import read_json_file
from headtohead.report.damage import damaged_run
from headtohead.report.figures.palette import css_color
from headtohead.report.frame import Frame, Tile
from headtohead.report.page import render
from headtohead.report.tables.format import true_minus
from headtohead.report.views.image_store import ImageStore, safe_images
from headtohead.report.views.measured import MEASURED, measured

__all__ = ["write_audit_page"]

CHANCE = 0.5  # AUROC of a random answer
MAX_SCENES = 80  # keeps the page small; the rest stand in groups.csv
MAX_THUMBS = 24  # of one finding: two rows of a wide page
WORDS = {
    "facts": "file facts",
    "thumbnail": "16 × 16 thumbnail",
    "border": "border",
    "background": "background",
}
KINDS = {"near": "near copy", "mirrored": "mirrored copy", "similar": "possibly one patient"}


def write_audit_page(folder: Path) -> Path:
    """Write `audit.html` beside an audit's files.

    Args:
        folder: holds `audit.json` and `thumbs.json`.

    Returns:
        The page's path.

    Raises:
        RunFolderError: the folder holds no audit.
    """
    if not (folder / "audit.json").is_file():
        raise RunFolderError(
            f"{folder} holds no audit.json. Make one with: headtohead audit DATA --out {folder}"
        )
    audit = read_json_file(folder / "audit.json")
    stored = folder / "thumbs.json"
    store = ImageStore({}, safe_images(read_json_file(stored)) if stored.is_file() else {})
    target = folder / "audit.html"
    with damaged_run(folder):
        view = _view(audit, store)
        page = render("audit.html", frame=_frame(audit, view), view=view, image_css=store.css)
    write_atomic(target, page)
    return target


def _frame(audit: Mapping[str, Any], view: Mapping[str, Any]) -> Frame:
    """Return the answer, the tiles and the sections that the page has."""
    facts = audit["dataset"]
    classes = "; ".join(
        f"{c['name']}: {pluralize(c['samples'], 'image')} in {pluralize(c['groups'], 'group')}"
        for c in view["classes"]
    )
    positive = f" Positive class: {facts['positive']}." if facts.get("positive") else ""
    width, height = facts["width"], facts["height"]
    sizes = f"{width[0]} to {width[2]} pixels wide, {height[0]} to {height[2]} high"
    named = [
        ("findings", "Findings", True), ("shortcuts", "Shortcuts", view["probes"]),
        ("scenes", "Copies", view["scenes"]), ("outliers", "Outliers", view["outliers"]),
        ("crops", "Crops", view["crops"]), ("size", "Size", view["sizes"]), ("quiet", "Other checks", True),
    ]  # fmt: skip
    return Frame(
        title="audit of the data",
        kicker="Audit of the data",
        heading=view["sentence"],
        lead=(
            f"{facts['n_samples']} images in {facts['n_groups']} groups. {classes}.{positive}",
            f"{sizes}. Digest of the data: {str(facts['digest'])[:8]}.",
        ),
        tiles=tuple(_tiles(audit, view)),
        sections=tuple((key, name) for key, name, there in named if there),
        source="audit.json and thumbs.json",
    )


def _tiles(audit: Mapping[str, Any], view: Mapping[str, Any]) -> Iterable[Tile]:
    counts = audit["counts"]
    severe, warnings = counts.get("severe", 0), counts.get("warning", 0)
    yield Tile(
        "Severe issues", str(severe), "each forbids a fair comparison", "severe" if severe else "passed", "#findings"
    )  # fmt: skip
    yield Tile(
        "Warnings", str(warnings), f"{pluralize(counts.get('passed', 0), 'check')} passed",
        "warning" if warnings else "passed", "#findings",
    )  # fmt: skip
    if view["probes"]:
        worst = max(view["probes"], key=lambda probe: float(probe["auroc"]["value"]))
        low = float(worst["auroc"]["low"])
        yield Tile(
            "Strongest shortcut", f"AUROC {worst['auroc']['value']:.2f}", f"{WORDS[worst['probe']]}; 0.5 is chance",
            "warning" if low > CHANCE else "passed", "#shortcuts",
        )  # fmt: skip
    n, shared = len(audit["groups"]["shared"]), sum(len(ids) for ids in audit["groups"]["shared"].values())
    yield Tile(
        "Images that belong together", str(shared), f"in {pluralize(n, 'group')}, kept on one side of each split",
        "note", "#scenes" if n else "#answer",
    )  # fmt: skip


def _view(audit: Mapping[str, Any], store: ImageStore) -> dict[str, Any]:
    findings = audit["findings"]
    loud = [f for f in findings if f["outcome"] in ("issue", "tip")]
    probes = [f["data"] for f in findings if "auroc" in f["data"] and f["data"].get("probe") in WORDS]
    scenes = _scenes(audit["groups"], store)
    return {
        "sentence": _sentence(audit),
        "facts": audit["dataset"],
        "understood": data_rows(audit["data"], audit["dataset"].get("positive_doubt", ""))
        if "data" in audit
        else [],
        "classes": [{"name": name, **row} for name, row in audit["dataset"]["classes"].items()],
        "findings": [_finding(f, store) for f in loud],
        "quiet": [f for f in findings if f["outcome"] not in ("issue", "tip")],
        "probes": probes,
        "bars": _bars(probes) if probes else "",
        "curves": _curves(probes) if any(p["curve"] for p in probes) else "",
        "legend": [{"color": css_color(i), "name": WORDS[p["probe"]]} for i, p in enumerate(probes)],
        "scenes": scenes[:MAX_SCENES],
        "more_scenes": max(0, len(scenes) - MAX_SCENES),
        "crops": _crops(findings, store),
        "outliers": _outliers(findings, store),
        "sizes": _size_curve(findings),
        "notes": audit["notes"],
    }


def _sentence(audit: Mapping[str, Any]) -> str:
    counts = audit["counts"]
    severe, warnings = counts.get("severe", 0), counts.get("warning", 0)
    if severe:
        words = f"{pluralize(severe, 'severe issue')}: a comparison on these data would not be valid."
    elif warnings:
        words = f"No severe issue, {pluralize(warnings, 'warning')}: a comparison is possible; read the warnings first."
    else:
        words = "No check speaks against a comparison."
    return words


def _finding(f: Mapping[str, Any], store: ImageStore) -> dict[str, Any]:
    scores = f["data"].get("scores") or f["data"].get("lost") or {}
    shown = [
        {"id": i, "im": number, "score": measured(f["code"], scores[i]) if i in scores else ""}
        for i in f["samples"]
        if (number := store.number(i)) is not None
    ]
    return {
        **{key: f[key] for key in ("code", "title", "message", "advice", "severity")},
        "label": f["severity"] if f["outcome"] == "issue" else "tip",
        "tone": f["severity"] if f["outcome"] == "issue" else "tip",
        "n": len(f["samples"]),
        "thumbs": shown[:MAX_THUMBS],
        "measured": what[0] if scores and (what := MEASURED.get(f["code"])) else "",
        "by_class": f["data"].get("by_class", {}),
    }


def _scenes(groups: Mapping[str, Any], store: ImageStore) -> list[dict[str, Any]]:
    """Return groups with several members, each with its images and what differs between them."""
    # a pair has no order
    pairs: dict[frozenset[str], Mapping[str, Any]] = {frozenset((p["a"], p["b"])): p for p in groups["pairs"]}
    found = []
    for name, ids in groups["shared"].items():
        own = [p for key, p in pairs.items() if key <= set(ids)]
        images = [{"id": i, "im": store.number(i)} for i in ids[:6]]
        found.append({"name": name, "n": len(ids), "images": images, "differ": [_differ(p) for p in own[:6]]})
    # Exact copies last: there is nothing to look at.
    return sorted(
        found, key=lambda scene: (all(" equal" in d for d in scene["differ"]), -scene["n"], scene["name"])
    )


def _differ(pair: Mapping[str, Any]) -> str:
    names = f"{_short(pair['a'])} / {_short(pair['b'])}"
    if pair["kind"] == "exact":
        return f"{names}: pixels equal"
    e = pair["evidence"]
    parts = [KINDS.get(str(pair["kind"]), str(pair["kind"]))]
    parts += [f"zoom {e['zoom']:.2f}"] if abs(e.get("zoom", 1) - 1) > 0.02 else []
    parts += [f"rotated {e['turn']:.1f} degrees"] if abs(e.get("turn", 0)) > 1 else []
    parts += [f"overlap {format_percent(e['overlap'])}"] if e.get("overlap", 1) < 0.98 else []
    parts += ["inverted"] if e.get("inverted") else []
    parts += [f"correlation {e['ncc']:.3f}"] if "ncc" in e else []
    parts += [f"{e['inliers']} matching points"] if e.get("inliers") else []
    return f"{names}: {true_minus(', '.join(parts))}"


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _bars(probes: Sequence[Mapping[str, Any]]) -> str:
    """Return AUROC and interval of each shortcut, with chance and the best contender."""
    from headtohead.report.figures import plot_shortcuts, to_svg

    rows = [
        {"name": WORDS[p["probe"]], **{k: p["auroc"][k] for k in ("value", "low", "high")}} for p in probes
    ]
    best = probes[0].get("best_contender")
    return to_svg(plot_shortcuts(rows, best=None if best is None else best["auroc"]).figure)


def _curves(probes: Sequence[Mapping[str, Any]]) -> str:
    from headtohead.report.figures import plot_roc, to_svg

    curves = {}
    for p in probes:
        rates = zip(*p["curve"], strict=True) if p["curve"] else ((), ())
        false, true = (tuple(float(x) for x in rate) for rate in rates)
        curves[WORDS[p["probe"]]] = RocCurve(false_positive_rate=false, true_positive_rate=true)
    return to_svg(plot_roc(curves, legend=False).figure, label="ROC curves of the shortcuts")


def _crops(findings: Iterable[Mapping[str, Any]], store: ImageStore) -> list[dict[str, Any]]:
    """Return images with the classical and the foreground box, in percent of their size."""
    boxes: dict[str, Any] = {}
    lost: dict[str, float] = {}
    for f in findings:
        boxes |= f["data"].get("boxes", {})
        lost |= f["data"].get("lost", {})
    return [
        {
            "id": i,
            "im": number,
            "lost": f"{format_percent(lost[i])}",
            "classical": _percent(b["classical"], b["size"]),
            "foreground": _percent(b["foreground"], b["size"]),
            "ratio": f"{b['size'][1]} / {b['size'][0]}",
        }
        for i, b in boxes.items()
        if (number := store.number(i)) is not None
    ]


def _percent(box: Sequence[int] | None, size: Sequence[int]) -> str:
    if box is None:
        return "display:none"
    height, width = size
    top, left, bottom, right = box
    return (
        f"top:{100 * top / height:.1f}%;left:{100 * left / width:.1f}%;"
        f"height:{100 * (bottom - top) / height:.1f}%;width:{100 * (right - left) / width:.1f}%"
    )


def _outliers(findings: Iterable[Mapping[str, Any]], store: ImageStore) -> list[dict[str, Any]]:
    rows = []
    for f in findings:
        ranking = f["data"].get("ranking")
        if ranking and f["outcome"] == "issue":
            images = [
                {"id": i, "im": number, "z": z[1]}
                for i, z in ranking.items()
                if (number := store.number(i)) is not None
            ]
            rows.append({"title": f["title"], "images": images[:16]})
    return rows


def _size_curve(findings: Iterable[Mapping[str, Any]]) -> str:
    """Return the smallest AUROC difference against the number of groups (logarithmic)."""
    data = next((f["data"] for f in findings if f["code"] == "H2H505" and "curve" in f["data"]), None)
    if data is None:
        return ""
    from headtohead.report.figures import plot_size_curve, to_svg

    return to_svg(plot_size_curve(data["curve"]).figure)
