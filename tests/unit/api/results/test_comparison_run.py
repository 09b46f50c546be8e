"""What a finished comparison says of itself in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.planting.reported import write_run

from headtohead.api.results.comparison_run import Run, summary


@pytest.mark.parametrize(("caveats", "words"), [(["One."], "1 caveat;"), (["One.", "Two."], "2 caveats;")])
def test_the_summary_counts_caveats_and_names_the_metric_as_the_field_does(
    caveats: list[str], words: str, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run")
    content = json.loads((folder / "verdict.json").read_text())
    (folder / "verdict.json").write_text(json.dumps(content | {"caveats": caveats}))
    lines = summary(Run(folder)).splitlines()
    assert lines[-1].startswith(words)
    assert any(line.startswith("AUROC (95% CI)") for line in lines)
