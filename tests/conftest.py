"""Fixtures that every room may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.core.optional import keep_private

# before any test imports it: the suite itself would report to OpenVINO's makers
keep_private("openvino")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def brain_mri() -> Path:
    """The 253 real images, where a checkout has them next to it."""
    folder = REPOSITORY.parent / "shared" / "data" / "brain-mri"
    if not folder.is_dir():
        pytest.skip("the real brain MRI images are not beside this checkout")
    return folder
