"""The grammar of contenders: bounds of hostile input, keys that say what is the same, and names that travel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.contenders.expression import DEEPEST, LONGEST, ContenderSpec, parse, parse_list, split_commas
from headtohead.core.errors import UnknownNameError, UsageError

NAMES = st.sampled_from(["a", "dinov2-small", "timm:resnet50.a1_in1k", "hf:google/vit", "scratch:test_vit"])
MODES = st.sampled_from(["", "@probe", "@finetune", "@partial:2", "@probe:layers+flip"])
SINGLES = st.builds(str.__add__, NAMES, MODES)
HYBRIDS = st.builds("hybrid({},{})@finetune".format, NAMES, NAMES)
REPEATS = st.builds(
    "{}({},{})".format, st.sampled_from(["seeds", "folds", "snapshots"]), SINGLES, st.integers(2, 9999)
)
JOINED = st.lists(st.one_of(SINGLES, HYBRIDS, REPEATS), min_size=2, max_size=4).map(
    lambda parts: f"ensemble({','.join(parts)},how=stacked)"
)
EXPRESSIONS = st.one_of(SINGLES, HYBRIDS, REPEATS, JOINED)


@given(EXPRESSIONS)
def test_a_parsed_name_is_read_as_itself_whatever_blanks_were_in_it(text: str) -> None:
    spec = parse(text)
    spaced = text.replace(",", " , ").replace("(", "( ").replace("@", " @")
    assert spec.name == text and parse(spec.name) == spec == parse(spaced)


@given(st.lists(EXPRESSIONS, min_size=1, max_size=4))
def test_a_list_is_split_where_its_parts_were_joined(parts: list[str]) -> None:
    assert split_commas(",".join(parts)) == parts


@given(SINGLES, st.sampled_from(["probe", "finetune", "mlp"]))
def test_a_mode_left_out_is_the_default_to_the_key(text: str, default: str) -> None:
    spec = parse(text, default)
    stated = text if "@" in text else f"{text}@{default}"
    assert spec.key == parse(stated, "lora").key and spec.mode == stated.rpartition("@")[2]


def test_brackets_and_lengths_have_limits_that_are_said() -> None:
    deepest = "ensemble(" * DEEPEST + "a" + ")" * DEEPEST
    assert split_commas(deepest) == [deepest]
    with pytest.raises(UsageError, match=rf"^Brackets are nested more than {DEEPEST} deep in '\("):
        split_commas(f"({deepest})")
    assert split_commas("a" * LONGEST) == ["a" * LONGEST]
    with pytest.raises(
        UsageError, match=r"^An expression of 20,001 characters is too long; expected at most 20,000"
    ):
        split_commas("a" * (LONGEST + 1))


def test_what_is_not_balanced_is_quoted_whole() -> None:
    with pytest.raises(UsageError) as never_closed:
        split_commas("ensemble(a,b")
    assert str(never_closed.value) == (
        "A bracket is not closed in 'ensemble(a,b'. Quote the expression for the shell."
    )
    with pytest.raises(UsageError) as never_opened:
        split_commas("a),(b")
    assert str(never_opened.value) == "A bracket is closed that was never opened in 'a),(b'."


def test_parts_keep_empty_ends_that_a_list_leaves_out() -> None:
    assert split_commas("a,,b,") == ["a", "", "b", ""]
    assert [spec.name for spec in parse_list("a,,b,")] == ["a", "b"]
    assert [spec.name for spec in parse_list(["a, b", "c"])] == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["@probe", "a@", "@", " @ "])
def test_a_name_or_a_mode_that_is_missing_is_said(text: str) -> None:
    with pytest.raises(UsageError, match=r"lacks a name or a mode: write NAME or NAME@MODE\.$"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "backbone", "mode"),
    [
        ("path:/a@b/c.safetensors", "path:/a@b/c.safetensors", "probe"),  # no mode holds a dot
        ("path:/a@b/c", "path:/a@b/c", "probe"),  # nor a slash
        ("path:/a@b/c@lora", "path:/a@b/c", "lora"),
        ("path:/a", "path:/a", "probe"),
    ],
)
def test_the_last_at_of_a_path_is_a_mode_only_if_it_can_be_one(text: str, backbone: str, mode: str) -> None:
    spec = parse(text)
    assert (spec.kind, spec.backbone, spec.mode) == ("single", backbone, mode)


@pytest.mark.parametrize("kind", ["seeds", "folds", "snapshots"])
@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("a,²", "takes one contender and a number"),  # a digit that int refuses
        ("3,4", "takes one contender and a number"),
        ("a,2,3", "takes one contender and a number"),
        ("", "takes one contender and a number"),
        ("a,0", "a mean of 0 is no ensemble; ask for at least 2"),
        ("a,1", "a mean of 1 is no ensemble; ask for at least 2"),
        ("a,10000", "asks for 10000 repeats; expected at most 9,999"),
        ("a," + "9" * 5000, "asks for 99999999999999999999 repeats"),
        ("ensemble(a,b),3", "repeats one network or hybrid, not ensemble"),
        ("folds(a,2),3", "repeats one network or hybrid, not folds"),
    ],
)
def test_repeats_that_cannot_be_are_refused(kind: str, inside: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(f"{kind}({inside})")


def test_numbers_of_repeats_may_be_written_in_any_place_and_with_zeros() -> None:
    assert parse("seeds(3,a)").key == parse("seeds(a,0003)").key == parse("seeds(a)").key
    assert parse("seeds(a,9999)").count == 9999 and parse("seeds(a,2)").count == 2


def test_joined_contenders_say_which_networks_they_use_once_each() -> None:
    spec = parse("ensemble(hybrid(b,a)@mlp,seeds(a@mlp,2),c)")
    assert spec.backbones == ("b", "a", "c")
    assert (spec.mode, [member.kind for member in spec.members]) == ("", ["hybrid", "seeds", "single"])


def test_an_ensemble_hands_its_default_on_and_a_hybrid_has_one_head() -> None:
    spec = parse("ensemble(a,hybrid(b,c))", "finetune")
    assert spec.key == "ensemble(a@finetune,hybrid(b@,c@)@finetune)@"
    assert parse("hybrid(a,b)").key == parse("hybrid(a,b)@probe", "lora").key


def test_keys_tell_contenders_apart_by_options_count_and_order() -> None:
    keys = {
        parse(text).key
        for text in (
            "ensemble(a,b)", "ensemble(b,a)", "ensemble(a,b,how=stacked)", "ensemble(a,b,how=greedy)",
            "seeds(a@mlp,2)", "seeds(a@mlp,3)", "folds(a@mlp,3)", "hybrid(a,b)",
        )
    }  # fmt: skip
    assert len(keys) == 8
    assert parse("ensemble(a,b,x=1,how=2)").key == parse("ensemble(a,b,how=2,x=1)").key


def test_the_home_of_a_user_is_not_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    key = parse("path:/home/somebody/nets/mine@probe").key
    assert "somebody" not in key and key.endswith("nets/mine@probe")
    assert key == parse("path:~/nets/mine").key


def test_options_are_words_with_an_equals_sign_and_no_brackets() -> None:
    spec = parse("ensemble(a,b,how=mean,weight=)")
    assert spec.options == {"how": "mean", "weight": ""} and len(spec.members) == 2
    with pytest.raises(UsageError, match=r"^'ensemble\(a,how=mean\)' joins fewer than two contenders\.$"):
        parse("ensemble(a,how=mean)")
    # a path may hold an equals sign: its first word is no option's name
    assert [one.backbone for one in parse("ensemble(path:/x?arch=resnet18,b)").members] == [
        "path:/x?arch=resnet18",
        "b",
    ]


def test_unknown_ways_of_joining_name_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'hybrid'"):
        parse("hybrd(a,b)")
    with pytest.raises(UsageError) as told:
        parse("Ensemble(a,b)")
    assert str(told.value) == (
        "'Ensemble(a,b)' is not understood; expected ensemble(…), hybrid(…), seeds(…), snapshots(…), folds(…)."
    )


@pytest.mark.parametrize("name", ["scratch-cnn", "scratch-vit"])
def test_networks_from_scratch_learn_unless_told_otherwise(name: str) -> None:
    assert parse(name, "probe").mode == "finetune" and parse(f"{name}@mlp", "probe").mode == "mlp"
    assert parse(f"ensemble({name},b)").members[0].mode == "finetune"


def test_the_second_name_of_a_contender_is_told_with_the_first() -> None:
    with pytest.raises(UsageError, match=r"^'b@probe' and 'b' are the same contender; name it once\.$"):
        parse_list("a,b,b@probe")
    with pytest.raises(UsageError, match=r"^No contenders were named\."):
        parse_list([])


def test_a_spec_is_a_record_that_may_be_a_key_of_equality() -> None:
    one = ContenderSpec("a", "single", "a", "probe")
    assert one == parse("a") and one != parse("a", "mlp") and one.backbones == ("a",)
