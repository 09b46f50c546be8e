"""The model that a search leaves: weights of its members, features as they were made, means with fine-tuned ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.backbones.features.views import FeatureView
from headtohead.core.errors import UsageError
from headtohead.studies.search import final_model as module
from headtohead.studies.search.final_model import model_probabilities, probe_probabilities, searched_model
from headtohead.studies.search.search_space import CandidateSpec
from headtohead.training.logistic import fit_probe

RNG = np.random.default_rng(0)
N = 60
LABELS = np.arange(N) % 2
CANDIDATES = [
    CandidateSpec("a"),
    CandidateSpec("b", "none", FeatureView(layers=True), large=True),
    CandidateSpec("c", "none", FeatureView(symmetry=True)),
]


class Features:
    """Rows of which those of the first two candidates know the label by halves, the third nothing."""

    def __init__(self) -> None:
        self.asked: list[CandidateSpec] = []
        rng = np.random.default_rng(3)
        noise = rng.normal(size=(3, N, 4))
        noise[0, :, 0] += 4.0 * LABELS * (np.arange(N) % 8 < 4)
        noise[1, :, 0] += 4.0 * LABELS * (np.arange(N) % 8 >= 4)
        self.rows = dict(zip(CANDIDATES, noise.astype(np.float32), strict=True))

    def features(self, candidate: CandidateSpec) -> Any:
        self.asked.append(candidate)
        return self.rows[candidate]


@pytest.fixture
def found(samples: Any, tmp_path: Path) -> tuple[dict[str, Any], Any, Path, Any]:
    data = samples([int(label) for label in LABELS])
    provider: Any = Features()
    return searched_model(CANDIDATES, provider, data, tmp_path, 0), provider, tmp_path, data


def test_the_answer_is_the_weighted_mean_of_probes_fitted_on_all_images(found: Any) -> None:
    model, provider, folder, _ = found
    by_name = {one.name: one for one in CANDIDATES}
    expected = np.zeros((N, 2))
    for member in model["members"]:
        rows = provider.rows[by_name[member["name"]]]
        expected += member["weight"] * fit_probe(rows, LABELS, member["C"]).predict_proba(rows)
    assert len(model["members"]) >= 2 and sum(one["weight"] for one in model["members"]) == pytest.approx(1)
    np.testing.assert_allclose(probe_probabilities(model, folder, provider), expected, atol=1e-9)
    np.testing.assert_allclose(expected.sum(axis=1), 1)
    assert model["classes"] == ["no", "yes"] and model["tuned"] == []


def test_members_are_made_again_from_what_was_written_of_them(found: Any) -> None:
    model, provider, folder, _ = found
    provider.asked.clear()
    probe_probabilities(model, folder, provider)
    assert [one.name for one in provider.asked] == [member["name"] for member in model["members"]]
    assert all(one in CANDIDATES for one in provider.asked)
    for candidate in CANDIDATES:
        assert module._candidate(module._ingredients(candidate)) == candidate


def test_a_model_without_members_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no members; it was not written by `headtohead best`\.$"):
        probe_probabilities({"members": [], "arrays": "model.npz"}, tmp_path, Features())  # type: ignore[arg-type]


def test_each_fine_tuned_network_counts_as_much_as_the_searched_model(
    found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, provider, folder, data = found
    monkeypatch.setattr(module, "FeatureProvider", lambda *_: provider)
    monkeypatch.setattr(
        "headtohead.studies.search.fine_tuned.tuned_probabilities",
        lambda member, folder, dataset: np.tile([member["p"], 1 - member["p"]], (N, 1)),
    )
    own = probe_probabilities(model, folder, provider)
    plain = model_probabilities(model, folder, data, cache=folder)
    np.testing.assert_allclose(plain, own)
    both = model_probabilities(model | {"tuned": [{"p": 0.2}, {"p": 0.6}]}, folder, data, cache=folder)
    np.testing.assert_allclose(both, (own + np.array([0.8, 1.2])) / 3)


def test_arrays_that_would_run_code_are_not_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "was-run",))

    bomb = np.array([Bomb()], dtype=object)
    fields = dict.fromkeys(("m0_mean", "m0_scale", "m0_weights", "m0_bias"), bomb)
    np.savez(tmp_path / "model.npz", allow_pickle=True, **fields)
    made = module._ingredients(CANDIDATES[0])
    model = {"members": [{"arrays": "m0", "weight": 1.0, "made": made}], "arrays": "model.npz"}
    with pytest.raises(ValueError, match="allow_pickle"):
        probe_probabilities(model, tmp_path, Features())  # type: ignore[arg-type]
    assert not (tmp_path / "was-run").exists()
