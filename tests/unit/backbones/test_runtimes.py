"""Frozen features by OpenVINO and ONNX Runtime: torch's rows, the same whatever is beside them, dropped aloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.features import convert_network, runtimes
from headtohead.backbones.features.extract import extract
from headtohead.backbones.features.options import ExtractionOptions
from headtohead.backbones.features.runtimes import RuntimeName, planned_runtime
from headtohead.backbones.record import BackboneRecord
from headtohead.core.errors import HeadToHeadError, MissingExtraError, PrecisionError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.preprocess.recipe import get_recipe

VIT = with_input_size(resolve("scratch:test_vit"), 96)
CNN = with_input_size(resolve("scratch:test_efficientnet"), 96)
RECIPE = get_recipe("none")
PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime"}


class Heard:
    def __init__(self) -> None:
        self.lines = list[str]()

    def info(self, message: str) -> None:
        self.lines.append(message)

    warning = info

    def progress(self, items: Any, label: str, total: int | None = None) -> Any:
        return items


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(3)
    for number in range(20):
        folder = root / ("sick" if number % 2 else "well")
        folder.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 44), dtype=np.uint8)).save(folder / f"{number}.png")
    return load(str(root))


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "home"))


def rows(images: Dataset, record: BackboneRecord, runtime: RuntimeName, cache: Path, **options: Any) -> Any:
    asked = ExtractionOptions(**({"precision": "fp32", "runtime": runtime} | options))
    return extract(images, record, RECIPE, asked, cache=cache)


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
@pytest.mark.parametrize("record", [CNN, VIT], ids=["cnn", "vit"])
def test_rows_are_torchs(
    runtime: RuntimeName, record: BackboneRecord, images: Dataset, tmp_path: Path
) -> None:
    pytest.importorskip(PACKAGES[runtime])
    found, plain = (
        rows(images, record, runtime, tmp_path / "a"),
        rows(images, record, "torch", tmp_path / "b"),
    )
    assert found.how["runtime"] == runtime and found.how["precision"] == "fp32"
    assert found.how["check"]["relative_error"] < 1e-3 and found.how["check"]["flips"] == 0
    assert PACKAGES[runtime] in found.how["versions"]
    np.testing.assert_allclose(found.rows, plain.rows, rtol=1e-3, atol=1e-4)


def test_a_row_depends_on_nothing_beside_it_and_a_network_is_converted_once(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    whole = rows(images, CNN, "openvino", tmp_path / "whole")
    monkeypatch.setattr(convert_network, "write_openvino", lambda *a: pytest.fail("converted again"))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    some = images.subset(sample.id for sample in images.samples[::3])
    rows(some, CNN, "openvino", tmp_path / "parts")
    parts = rows(images, CNN, "openvino", tmp_path / "parts")
    np.testing.assert_array_equal(whole.rows, parts.rows)


@pytest.mark.slow
def test_other_kinds_of_features_are_converted_too(images: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    few = images.subset(sample.id for sample in images.samples[:4])
    for kind in ("layers", "symmetry", "map"):
        found = rows(few, CNN, "openvino", tmp_path / "a", kind=kind)
        plain = rows(few, CNN, "torch", tmp_path / "b", kind=kind)
        assert found.how["runtime"] == "openvino" and found.how["shape"] == plain.how["shape"]
        np.testing.assert_allclose(found.rows, plain.rows, rtol=2e-3, atol=2e-4)


def test_what_is_off_is_dropped_aloud_or_refused(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    plain = rows(images, CNN, "torch", tmp_path / "torch")
    right = runtimes.OpenVinoFeatures.forward
    monkeypatch.setattr(
        runtimes.OpenVinoFeatures, "forward", lambda self, x: right(self, x) * np.float32(1.1)
    )
    with pytest.raises(PrecisionError, match=r"by openvino in fp32 .* --runtime torch or auto"):
        rows(images, CNN, "openvino", tmp_path / "asked")
    monkeypatch.setattr(runtimes, "PAYS_FROM", 1)
    monkeypatch.setattr("torch.cpu.get_capabilities", dict)
    heard = Heard()
    found = extract(images, CNN, RECIPE, cache=tmp_path / "auto", reporter=heard)
    assert found.how["runtime"] == "torch" and "by openvino in fp32" in found.how["precision_note"]
    assert any("by openvino in fp32" in line and "without it" in line for line in heard.lines)
    np.testing.assert_array_equal(found.rows, plain.rows)


def test_a_network_that_cannot_be_converted_is_computed_by_torch(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    import openvino

    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(openvino, "convert_model", broken)
    with pytest.raises(HeadToHeadError, match=r"cannot be converted to OpenVINO .*no such operation"):
        rows(images, CNN, "openvino", tmp_path / "asked")
    monkeypatch.setattr(runtimes, "PAYS_FROM", 1)
    found = extract(images, CNN, RECIPE, cache=tmp_path / "auto")
    assert found.how["runtime"] == "torch" and "no such operation" in found.how["precision_note"]
    assert not list((tmp_path / "home" / "networks").glob("*"))


def planned(
    n: int, family: str = "cnn", amx: bool = False, device: str = "cpu", precision: str = "auto"
) -> str:
    return planned_runtime("auto", device, precision, n, family, amx=amx)[0]


def test_the_runtime_follows_from_facts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "find_spec", lambda name: True)
    for family, amx, least in (("cnn", True, 300), ("transformer", False, 300), ("transformer", True, 1500)):
        assert [planned(n, family, amx) for n in (least - 1, least)] == ["torch", "openvino"]
    assert planned(9999, precision="fp32") == planned(9999, device="cuda") == "torch"
    assert "228 images do not pay" in planned_runtime("auto", "cpu", "auto", 228, "cnn", amx=True)[1]
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None)
    assert planned_runtime("auto", "cpu", "auto", 9999, "cnn", amx=False) == ("torch", "")
    with pytest.raises(UsageError, match="device is cuda"):
        planned_runtime("openvino", "cuda", "auto", 9, "cnn", amx=False)
    monkeypatch.setitem(runtimes.PACKAGES, "onnx", ("no_such_package",))
    with pytest.raises(MissingExtraError, match=r"headtohead\[onnx\]"):
        planned_runtime("onnx", "cpu", "auto", 9, "cnn", amx=False)


def test_neither_cores_nor_what_is_kept_change_the_runtime(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    heard = Heard()
    first = extract(images, CNN, RECIPE, cache=tmp_path / "first", reporter=heard)
    # a converted network lies in the cache from here on
    assert rows(images, CNN, "openvino", tmp_path / "asked").how["runtime"] == "openvino"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    second = extract(images, CNN, RECIPE, cache=tmp_path / "second")
    assert first.how["runtime"] == second.how["runtime"] == "torch"
    assert "do not pay for converting" in second.how["runtime_note"]
    assert sum("do not pay for converting" in line for line in heard.lines) == 1
    np.testing.assert_array_equal(first.rows, second.rows)


pytestmark = pytest.mark.slow  # half a minute together; `make test` has to end within 15
