"""Contender expressions are taken apart as the help text says."""

from __future__ import annotations

import pytest

from headtohead.contenders.expression import parse, parse_list
from headtohead.core.errors import UsageError


def test_a_single_takes_the_default_mode() -> None:
    spec = parse("efficientnet-lite0", "finetune")
    assert (spec.kind, spec.backbone, spec.mode, spec.name) == (
        "single",
        "efficientnet-lite0",
        "finetune",
        "efficientnet-lite0",
    )


def test_own_mode_wins_over_the_default() -> None:
    assert parse("dinov2-small@probe", "finetune").mode == "probe"


@pytest.mark.parametrize(
    ("text", "backbone", "mode"),
    [
        ("timm:resnet50.a1_in1k@probe", "timm:resnet50.a1_in1k", "probe"),
        ("hf:google/vit-base-patch16-224-in21k", "hf:google/vit-base-patch16-224-in21k", "probe"),
        ("path:/a@b/w.safetensors?arch=resnet18", "path:/a@b/w.safetensors?arch=resnet18", "probe"),
        ("path:/a@b/folder@finetune", "path:/a@b/folder", "finetune"),
        ("dinov2-small@partial:2", "dinov2-small", "partial:2"),
    ],
)
def test_names_with_their_own_punctuation(text: str, backbone: str, mode: str) -> None:
    spec = parse(text)
    assert (spec.backbone, spec.mode) == (backbone, mode)


def test_a_list_with_an_ensemble() -> None:
    specs = parse_list("lite2@probe, dino@finetune, ensemble(lite2@probe, dino@finetune, how=stacked)")
    assert [spec.kind for spec in specs] == ["single", "single", "ensemble"]
    assert specs[2].options == {"how": "stacked"}
    assert [member.key for member in specs[2].members] == ["lite2@probe", "dino@finetune"]
    assert specs[2].name == "ensemble(lite2@probe,dino@finetune,how=stacked)"


def test_hybrid_members_have_no_mode_of_their_own() -> None:
    spec = parse("hybrid(a,b)@finetune")
    assert (spec.kind, spec.mode, [m.backbone for m in spec.members]) == ("hybrid", "finetune", ["a", "b"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("a@", "lacks a name or a mode"),
        ("ensemble(a", "not closed"),
        ("ensemble(a))", "never opened"),
        ("ensemble(a)", "fewer than two"),
        ("mean(a,b)", "Unknown way to join"),
        ("ensembel(a,b)", "did you mean 'ensemble'"),
        ("seed(a@finetune,3)", "did you mean 'seeds'"),
        ("(a,b)", "not understood"),
        ("seeds(a,b,3)", "one contender and a number"),
        ("seeds(a,1)", "at least 2"),
        ("seeds(a,3)@mlp", "inside the brackets"),
        ("folds(ensemble(a,b),3)", "repeats one network"),
        ("ensemble(a,b)@probe", "no effect"),
    ],
)
def test_bad_expressions_are_explained(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_list([text]) if "(" in text else parse(text)


def test_the_same_contender_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="same contender"):
        parse_list("a,a@probe")


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(UsageError, match="No contenders"):
        parse_list(" , ")


def test_repeats_have_one_member_and_a_number() -> None:
    spec = parse("seeds(hybrid(a, b)@finetune, 4)")
    assert (spec.kind, spec.count, spec.members[0].name) == ("seeds", 4, "hybrid(a,b)@finetune")
    assert spec.backbones == ("a", "b") and spec.mode == ""
    assert [parse(text).count for text in ("seeds(a)", "snapshots(a)", "folds(a)")] == [3, 3, 5]
    assert parse("folds(a)").key == parse("folds(a@probe,5)").key != parse("folds(a,4)").key


def test_networks_from_scratch_are_finetuned_where_nothing_is_said() -> None:
    assert parse("scratch-cnn").mode == "finetune" and parse("scratch-vit@probe").mode == "probe"
