"""The description inside an exported file."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.backbones.catalog import resolve
from headtohead.backbones.features.input_transform import to_network_input
from headtohead.core.errors import UsageError
from headtohead.data.readers.read import read_image
from headtohead.deploy.export.document import ExportDocument, NetworkInput, RecipeSteps
from headtohead.preprocess.recipe import RECIPES, get_recipe


@pytest.mark.parametrize("name", [*RECIPES])
def test_a_recipe_comes_back_from_json_as_it_was(name: str) -> None:
    data = RecipeSteps.model_validate_json(RecipeSteps.of(get_recipe(name)).model_dump_json())
    assert data.recipe() == get_recipe(name) and data.recipe().digest() == get_recipe(name).digest()


def test_prepares_an_image_to_the_digit_as_training_does(
    document: ExportDocument, images: list[tuple[str, bytes]]
) -> None:
    record = resolve("dinov2-small")
    same = document.model_copy(update={"network_input": NetworkInput.of(record)})
    image = read_image(images[0][1])
    expected = to_network_input(get_recipe("foreground").apply(image).pixels, record)
    np.testing.assert_array_equal(ExportDocument.parse(same.model_dump_json()).prepare(image), expected)


def test_labels_by_the_threshold_of_the_positive_class(document: ExportDocument) -> None:
    assert [document.label(np.array([1 - p, p])) for p in (0.46, 0.47, 0.9)] == ["no", "yes", "yes"]
    plain = document.model_copy(update={"positive": None})
    assert [plain.label(np.array([1 - p, p])) for p in (0.46, 0.51)] == ["no", "yes"]


def test_probabilities_are_those_of_a_softmax_at_the_temperature(document: ExportDocument) -> None:
    found = document.probabilities(np.array([[0.0, 1.3], [1000.0, 0.0]], np.float32))
    np.testing.assert_allclose(found, [[1 / (1 + np.e), np.e / (1 + np.e)], [1.0, 0.0]], atol=1e-6)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', "{"])
def test_refuses_what_is_no_description(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        ExportDocument.parse(text)


def test_refuses_a_newer_format_by_its_number() -> None:
    with pytest.raises(UsageError, match="format 99"):
        ExportDocument.parse('{"format": 99}')
