"""A hub whose answers name places outside the cache: refused before any file is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headtohead.backbones.catalog import resolve
from headtohead.backbones.weights.fetch import ensure_weights
from headtohead.core.errors import WeightsError
from headtohead.core.safety.hub_answers import HostileAnswerError, check_headers

TINY = "timm:test_vit.r160_in1k"
REPOSITORY = "timm/test_vit.r160_in1k"


def _outside(tmp_path: Path) -> set[str]:
    """Return what lies beside the cache; the cache itself may hold folders and locks."""
    return {path.name for path in tmp_path.rglob("*") if "escaped" in path.name}


@pytest.mark.parametrize(
    "etag", ["../../../../escaped", 'W/"../../../escaped', "{absolute}", "..", "..\\..\\escaped", "C:escaped"]
)
def test_an_etag_names_no_place_outside_the_cache(
    hub: Any, timm_file: bytes, tmp_path: Path, etag: str
) -> None:
    hub.add(REPOSITORY, model=timm_file)
    hub.etag = etag.format(absolute=tmp_path / "escaped")
    with pytest.raises(WeightsError, match="is no name of a file") as caught:
        ensure_weights(resolve(TINY))
    assert "\n" not in str(caught.value)
    assert not _outside(tmp_path)


@pytest.mark.parametrize("file", ["model", "config"])  # there, or told as missing: either names the commit
def test_a_commit_names_no_place_outside_the_cache(
    hub: Any, timm_file: bytes, tmp_path: Path, file: str
) -> None:
    hub.add(REPOSITORY, **{file: timm_file})
    hub.commit = "../../../../escaped"
    with pytest.raises(WeightsError, match="x-repo-commit"):
        ensure_weights(resolve(TINY))
    assert not _outside(tmp_path)


def test_a_configuration_is_watched_too(hub: Any, vit_files: tuple[bytes, bytes], tmp_path: Path) -> None:
    hub.add("lab/net", config=vit_files[0], model=vit_files[1])
    hub.etag = "../../../../escaped"
    with pytest.raises(WeightsError, match="is no name of a file"):
        resolve("hf:lab/net")
    assert not _outside(tmp_path)


@pytest.mark.parametrize(
    "etag", ['"0123abcd"', 'W/"0123abcd-12"', "8f2c:1700000000.34", '"pointer"', "a" * 64]
)
def test_ordinary_etags_pass(etag: str) -> None:
    check_headers({"etag": etag})


def test_the_etag_of_a_download_itself_names_nothing() -> None:
    check_headers({"etag": '"a/b+c=="'}, is_head=False)
    with pytest.raises(HostileAnswerError, match="x-repo-commit"):
        check_headers({"etag": '"a/b"', "x-repo-commit": "a/b"}, is_head=False)
    with pytest.raises(HostileAnswerError, match="5,000 characters"):
        check_headers({"etag": "a" * 5000})
