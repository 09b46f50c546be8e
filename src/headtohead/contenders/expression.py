"""What a user writes to name a contender, and what it means.

efficientnet-lite0                       a backbone, in the study's default mode
dinov2-small@finetune                    a backbone with its own mode
timm:resnet50.a1_in1k@probe              any timm model; also hf:, path:, scratch:
ensemble(a, b@finetune)                  mean probability of contenders of the same run
ensemble(a, b, how=stacked)              weighted or stacked, weights from inner folds
hybrid(efficientnet-lite0, dinov2-small) one head on both backbones
seeds(dinov2-small@finetune, 3)          mean of the same training from 3 seeds
snapshots(dinov2-small@finetune, 3)      mean of 3 states of one training with a restarted rate
folds(dinov2-small@finetune, 5)          mean of 5 trainings, each without one inner fold
scratch-cnn, scratch-vit                 small networks that learn from this data alone; finetune by default
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from headtohead.core.config.places import without_home
from headtohead.core.errors import UsageError, unknown_name

__all__ = ["REPEATS", "ContenderSpec", "parse", "parse_list", "split_commas"]

KINDS = ("ensemble", "hybrid")
REPEATS = {"seeds": 3, "snapshots": 3, "folds": 5}  # how many models where no number is given
SCRATCH = ("scratch-cnn", "scratch-vit")
LONGEST = 20_000  # characters; a hundred contenders with paths take fewer
DEEPEST = 20  # brackets in brackets; an ensemble of hybrids takes two
CALL = re.compile(r"^(?P<kind>[a-z]+)\((?P<inside>.*)\)(?:@(?P<mode>[^()@]+))?$")


@dataclass(frozen=True, slots=True)
class ContenderSpec:
    """A contender expression, taken apart.

    Attributes:
        name: as the user wrote it, without spaces; this names it everywhere.
        kind: "single", "ensemble", "hybrid", or one of REPEATS, which has one member.
        backbone: the backbone's name, for a single.
        mode: "probe", "finetune", …; empty for an ensemble, which trains nothing of its own.
        members: what an ensemble or hybrid joins.
        options: further `key=value` words inside the brackets.
        count: how many models the mean is of, for one of REPEATS.
    """

    name: str
    kind: str
    backbone: str
    mode: str
    members: tuple[ContenderSpec, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    count: int = 0

    @property
    def backbones(self) -> tuple[str, ...]:
        """The names of all backbones below it, each once."""
        if self.kind == "single":
            return (self.backbone,)
        return tuple(dict.fromkeys(name for member in self.members for name in member.backbones))

    @property
    def key(self) -> str:
        """What it is, whatever it was called: the same for "a" and "a@probe" where probe is the default."""
        if self.kind == "single":
            return f"{without_home(self.backbone)}@{self.mode}"
        inside = [member.key for member in self.members]
        inside += [f"{name}={value}" for name, value in sorted(self.options.items())]
        inside += [str(self.count)] if self.count else []
        return f"{self.kind}({','.join(inside)})@{self.mode}"


def split_commas(text: str) -> list[str]:
    """Split at the commas that stand outside brackets.

    >>> split_commas("a@probe,ensemble(a,b),c")
    ['a@probe', 'ensemble(a,b)', 'c']
    """
    parts, depth, current = [], 0, ""
    if len(text) > LONGEST:
        raise UsageError(
            f"An expression of {len(text):,} characters is too long; expected at most {LONGEST:,}."
        )
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth > DEEPEST:
            raise UsageError(f"Brackets are nested more than {DEEPEST} deep in {text[:80]!r}….")
        if depth < 0:
            raise UsageError(f"A bracket is closed that was never opened in {text!r}.")
        if letter == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += letter
    if depth:
        raise UsageError(f"A bracket is not closed in {text!r}. Quote the expression for the shell.")
    return [part.strip() for part in [*parts, current]]


def parse(text: str, default_mode: str = "probe") -> ContenderSpec:
    """Take one contender expression apart.

    Raises:
        UsageError: empty, unbalanced brackets, an unknown joining word, or nothing to join.
    """
    name = re.sub(r"\s+", "", text)
    if not name:
        raise UsageError("A contender's name is empty. Write for example efficientnet-lite0,dinov2-small.")
    if "(" not in name:
        backbone, _, mode = name.partition("@") if not name.startswith("path:") else _path_parts(name)
        if not backbone or (name.endswith("@")):
            raise UsageError(f"{text!r} lacks a name or a mode: write NAME or NAME@MODE.")
        default = "finetune" if backbone in SCRATCH else default_mode
        return ContenderSpec(name, "single", backbone, mode or default)
    return _parse_call(name, default_mode)


def parse_list(expressions: str | Iterable[str], default_mode: str = "probe") -> tuple[ContenderSpec, ...]:
    """Take a comma-separated list apart; the same contender twice is refused."""
    words = [expressions] if isinstance(expressions, str) else list(expressions)
    specs = tuple(parse(part, default_mode) for word in words for part in split_commas(word) if part)
    if not specs:
        raise UsageError(
            "No contenders were named. Write for example --contenders efficientnet-lite0,dinov2-small."
        )
    seen: dict[str, str] = {}
    for spec in specs:
        if spec.key in seen:
            raise UsageError(f"{spec.name!r} and {seen[spec.key]!r} are the same contender; name it once.")
        seen[spec.key] = spec.name
    return specs


def _path_parts(name: str) -> tuple[str, str, str]:
    """Part "path:FILE@MODE" at the last @, since a path may hold one itself."""
    head, mark, tail = name.rpartition("@")
    if mark and "/" not in tail and "." not in tail:  # no mode has either, and a path may go on after its @
        return head, mark, tail
    return name, "", ""


def _parse_call(name: str, default_mode: str) -> ContenderSpec:
    match = CALL.match(name)
    if match is None:
        raise UsageError(f"{name!r} is not understood; expected {', '.join(f'{k}(…)' for k in _ways())}.")
    kind = match["kind"]
    if kind not in _ways():
        raise unknown_name("way to join contenders", kind, _ways())
    if kind in REPEATS:
        return _parse_repeat(name, kind, match["inside"], match["mode"], default_mode)
    words = split_commas(match["inside"])
    options = dict(word.split("=", 1) for word in words if _is_option(word))
    inner_mode = default_mode if kind == "ensemble" else ""  # a hybrid has one head, its parts no mode
    members = tuple(parse(word, inner_mode) for word in words if word and not _is_option(word))
    if len(members) < 2:
        raise UsageError(f"{name!r} joins fewer than two contenders.")
    if kind == "ensemble" and match["mode"]:
        raise UsageError(f"{name!r}: an ensemble trains nothing, so @{match['mode']} would have no effect.")
    mode = "" if kind == "ensemble" else (match["mode"] or default_mode)
    return ContenderSpec(name, kind, "", mode, members, options)


def _parse_repeat(name: str, kind: str, inside: str, mode: str | None, default_mode: str) -> ContenderSpec:
    """Take "seeds(NAME@MODE,3)" apart."""
    example = f"{kind}(dinov2-small@finetune,{REPEATS[kind]})"
    words = [word for word in split_commas(inside) if word]
    counts = [word for word in words if word.isascii() and word.isdigit()]  # "²" is a digit that int refuses
    if len(words) - len(counts) != 1 or len(counts) > 1:
        raise UsageError(f"{name!r}: {kind} takes one contender and a number, such as {example}.")
    if mode:
        raise UsageError(f"{name!r}: write the mode inside the brackets, such as {example}.")
    if counts and len(counts[0].lstrip("0")) > 4:  # before int, which refuses thousands of digits
        raise UsageError(f"{name[:80]!r} asks for {counts[0][:20]} repeats; expected at most 9,999.")
    count = int(counts[0]) if counts else REPEATS[kind]
    if count < 2:
        raise UsageError(f"{name!r}: a mean of {count} is no ensemble; ask for at least 2.")
    member = parse(next(word for word in words if word not in counts), default_mode)
    if member.kind not in ("single", "hybrid"):
        raise UsageError(f"{name!r}: {kind} repeats one network or hybrid, not {member.kind}(…).")
    return ContenderSpec(name, kind, "", "", (member,), count=count)


def _ways() -> tuple[str, ...]:
    return (*KINDS, *REPEATS)


def _is_option(word: str) -> bool:
    return re.match(r"^[a-z_]+=[^()]*$", word) is not None
