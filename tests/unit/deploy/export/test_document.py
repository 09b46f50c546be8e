"""The description inside an exported file."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.core.errors import BundleError
from headtohead.deploy.export.document import ExportDocument, StoredArray
from headtohead.deploy.export.write import describe
from headtohead.deploy.model import DeployedModel


def test_every_record_of_the_bundle_comes_back_as_it_was(model: DeployedModel) -> None:
    document = ExportDocument.parse(describe(model).model_dump_json())
    assert document.config == model.config and document.preprocessing == model.preprocessing
    assert document.calibration == model.calibration and document.reference == model.reference
    assert document.estimate == model.estimate_record and document.digest == model.digest
    recipes = [spec.recipe().digest() for spec in document.preprocessing.recipes]
    assert recipes == [spec.recipe().digest() for spec in model.preprocessing.recipes]
    for name, array in document.guard_tensors().items():
        np.testing.assert_array_equal(array, np.asarray(model.guard_tensors[name], np.float32))


def test_an_array_comes_back_to_the_bit() -> None:
    array = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    np.testing.assert_array_equal(StoredArray.of(array).array(), array)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', "{"])
def test_refuses_what_is_no_description(text: str) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        ExportDocument.parse(text)


def test_refuses_a_newer_format_by_its_number() -> None:
    with pytest.raises(BundleError, match="format 99"):
        ExportDocument.parse('{"format": 99}')
