"""`headtohead dicom` and `headtohead dicom listen`, with an exported model."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.planting.dicom_objects import mr_bytes, mr_dataset
from tests.planting.memory import draw_head
from tests.planting.tiny_model import tiny_model

from headtohead.cli.app import main
from headtohead.deploy.export.write import ExportJob, export_model

hd = pytest.importorskip("highdicom")
pynetdicom = pytest.importorskip("pynetdicom")
pytest.importorskip("onnxscript")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "m.onnx"
    content = mr_bytes(draw_head(np.random.default_rng(0)).astype(np.int64) * 10)
    export_model(ExportJob(tiny_model(), [("scan.dcm", content)]), "onnx", out)
    return out


def test_writes_a_report_and_lists_what_is_not_in_it(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "scan").write_bytes(
        mr_bytes(draw_head(np.random.default_rng(1)).astype(np.int64) * 10)
    )
    assert main(["dicom", str(exported), str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    (tmp_path / "in" / "notes.txt").write_text("no image")
    assert main(["dicom", str(exported), str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--json"]) == 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [(line["report"] is None, line["n_images"], len(line["failed"])) for line in lines] == [
        (False, 1, 0),
        (True, 0, 1),
    ]
    back = hd.sr.srread(lines[0]["report"])
    (group,) = back.content.get_image_measurement_groups()
    assert sum(float(one.value) for one in group.get_measurements()) == pytest.approx(1, abs=1e-5)
    assert back.SeriesDescription == "RESEARCH ONLY: headtohead tiny" and back.DeviceSerialNumber == "ab" * 32


def test_the_runtime_can_be_named(exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "scan").write_bytes(
        mr_bytes(draw_head(np.random.default_rng(1)).astype(np.int64) * 10)
    )
    words = ["dicom", str(exported), str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--runtime"]
    assert main([*words, "onnxruntime"]) == 0
    assert main([*words, "torch"]) == 2
    assert "torch" in capsys.readouterr().err


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not true():
        time.sleep(0.05)
    return true()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_listens_leaves_a_report_and_stops_on_sigterm(exported: Path, tmp_path: Path) -> None:
    words = ["dicom", "listen", str(exported), "--out", str(tmp_path), "--port", "0", "--settle", "0.3"]
    with subprocess.Popen(
        [sys.executable, "-m", "headtohead", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"127\.0\.0\.1:(\d+) as HEADTOHEAD", line)
        assert found is not None, line
        entity = pynetdicom.AE()
        entity.add_requested_context("1.2.840.10008.5.1.4.1.1.4")
        sender = entity.associate("127.0.0.1", int(found.group(1)), ae_title="HEADTOHEAD")
        assert (
            sender.send_c_store(mr_dataset(draw_head(np.random.default_rng(2)).astype(np.int64) * 10)).Status
            == 0
        )
        sender.release()
        assert until(lambda: bool([*tmp_path.glob("SR-*.dcm")]))
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
    (told,) = (json.loads(line) for line in out.splitlines())
    assert hd.sr.srread(told["report"]).VerificationFlag == "UNVERIFIED"
    assert not [path for path in (tmp_path / "inbox").rglob("*") if path.is_file()], (
        "received images are deleted"
    )


def test_listening_threads_share_one_heap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[str] = []
    monkeypatch.setattr("headtohead.core.parallel.share_one_heap", lambda: told.append("heap"))
    monkeypatch.setattr("headtohead.api.dicom.listen", lambda *_, **__: told.append("listen"))
    assert main(["dicom", "listen", "model", "--out", str(tmp_path / "reports")]) == 0
    assert told == ["heap", "listen"]
