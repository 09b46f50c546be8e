"""What differs besides the kind of architecture is named, and so is the control that would part it."""

from __future__ import annotations

import pytest

from headtohead.backbones.catalog import catalogue, resolve
from headtohead.backbones.comparability import Contender, confounds, controls, differing_fields
from headtohead.contenders.plan import ContenderPlan
from headtohead.contenders.training_modes import parse_mode, training_facts
from headtohead.core.config import TrainConfig
from headtohead.studies.report_inputs import pair_confounds


def what(a: str, b: str) -> list[str]:
    return [one["what"] for one in differing_fields(resolve(a), resolve(b))]


def test_the_published_pair_differs_in_everything() -> None:
    assert what("inception-resnet-v2", "vit-b16") == ["kind", "pretraining", "parameters", "input side"]


def test_a_control_differs_in_one_thing() -> None:
    assert what("vit-b16", "vit-b16-in1k") == ["pretraining"]
    assert what("vit-b16", "vit-b16") == []


def test_the_way_of_training_counts() -> None:
    one = resolve("vit-b16")
    (found,) = differing_fields(one, one, ("probe", "finetune"))
    assert found == {"what": "way of training", "a": "probe", "b": "finetune"}


@pytest.mark.parametrize("first", [record.name for record in catalogue()])
def test_a_control_has_the_kind_of_one_and_the_pretraining_of_the_other(first: str) -> None:
    for other in catalogue():
        one = resolve(first)
        for name in controls(one, other):
            control = resolve(name)
            assert (control.family, control.pretraining) in {
                (one.family, other.pretraining),
                (other.family, one.pretraining),
            }
            assert len(differing_fields(one, control)) < 4 and name not in (first, other.name)


def test_only_pairs_with_more_than_one_difference_are_confounded() -> None:
    named: list[Contender] = [
        (name, resolve(name), "probe", {}) for name in ("vit-b16", "vit-b16-in1k", "resnetv2-50-in21k")
    ]
    pairs = [(one["a"], one["b"]) for one in confounds(named)]
    assert ("vit-b16", "vit-b16-in1k") not in pairs
    assert ("vit-b16-in1k", "resnetv2-50-in21k") in pairs


def test_random_weights_are_no_pretraining() -> None:
    found = differing_fields(resolve("scratch:vit_base_patch16_224"), resolve("vit-b16"))
    assert {"what": "pretraining", "a": "none (random weights)", "b": resolve("vit-b16").pretraining} in found


def test_what_differs_between_modes_besides_the_network_is_listed() -> None:
    """Augmentation, mirror images and the folds for choosing come with a mode; between equal modes nothing does."""
    train, one = TrainConfig(), resolve("vit-b16")
    facts = [training_facts(parse_mode(mode), train) for mode in ("probe", "finetune", "probe:flip")]
    found = differing_fields(one, one, ("probe", "finetune"), (facts[0], facts[1]))
    assert [row["what"] for row in found] == [
        "way of training", "training images", "prediction", "chosen inside the training part",
    ]  # fmt: skip
    assert found[1]["b"] == "augmented (light)" and "mirror" in found[2]["b"]
    assert differing_fields(one, one, ("probe", "probe"), (facts[0], facts[0])) == []
    assert facts[2]["prediction"] == facts[1]["prediction"] != facts[0]["prediction"]
    plain = TrainConfig(augment="none", policy="fixed")
    assert training_facts(parse_mode("finetune"), plain) == {
        "training images": "as they are", "prediction": "from the image",
        "chosen inside the training part": "nothing",
    }  # fmt: skip
    plan = ContenderPlan.parse("scratch:test_vit@probe,scratch:test_vit@finetune")
    (pair,) = pair_confounds(plan, train)
    assert {"prediction", "training images"} <= {row["what"] for row in pair["differs"]}
