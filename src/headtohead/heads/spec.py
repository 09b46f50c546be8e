"""What a user writes to name a contender, and what it means.

efficientnet-lite0                       a backbone, in the study's default mode
dinov2-small@finetune                    a backbone with its own mode
timm:resnet50.a1_in1k@probe              any timm model; also hf:, path:, scratch:
ensemble(a, b@finetune)                  mean probability of contenders of the same run
ensemble(a, b, how=stacked)              weighted or stacked, weights from inner folds
hybrid(efficientnet-lite0, dinov2-small) one head on both backbones
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from headtohead.core.errors import UsageError

__all__ = ["ContenderSpec", "parse", "parse_list", "split_commas"]

KINDS = ("ensemble", "hybrid")
CALL = re.compile(r"^(?P<kind>[a-z]+)\((?P<inside>.*)\)(?:@(?P<mode>[^()@]+))?$")


@dataclass(frozen=True, slots=True)
class ContenderSpec:
    """A contender expression, taken apart.

    Attributes:
        name: as the user wrote it, without spaces; this names it everywhere.
        kind: "single", "ensemble" or "hybrid".
        backbone: the backbone's name, for a single.
        mode: "probe", "finetune", …; empty for an ensemble, which trains nothing of its own.
        members: what an ensemble or hybrid joins.
        options: further `key=value` words inside the brackets.
    """

    name: str
    kind: str
    backbone: str
    mode: str
    members: tuple[ContenderSpec, ...] = ()
    options: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it is, whatever it was called: the same for "a" and "a@probe" where probe is the default."""
        if self.kind == "single":
            return f"{self.backbone}@{self.mode}"
        inside = [member.key for member in self.members]
        inside += [f"{name}={value}" for name, value in sorted(self.options.items())]
        return f"{self.kind}({','.join(inside)})@{self.mode}"


def split_commas(text: str) -> list[str]:
    """Split at the commas that stand outside brackets.

    >>> split_commas("a@probe,ensemble(a,b),c")
    ['a@probe', 'ensemble(a,b)', 'c']
    """
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
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
        return ContenderSpec(name, "single", backbone, mode or default_mode)
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
    if mark and "/" not in tail and "." not in tail:
        return head, mark, tail
    return name, "", ""


def _parse_call(name: str, default_mode: str) -> ContenderSpec:
    match = CALL.match(name)
    if match is None or match["kind"] not in KINDS:
        raise UsageError(
            f"{name!r} is not understood: {' and '.join(f'{kind}(a,b)' for kind in KINDS)} join contenders."
        )
    words = split_commas(match["inside"])
    options = dict(word.split("=", 1) for word in words if _is_option(word))
    kind = match["kind"]
    inner_mode = default_mode if kind == "ensemble" else ""
    members = tuple(parse(word, inner_mode) for word in words if word and not _is_option(word))
    if len(members) < 2:
        raise UsageError(f"{name!r} joins fewer than two contenders.")
    if kind == "ensemble" and match["mode"]:
        raise UsageError(f"{name!r}: an ensemble trains nothing, so @{match['mode']} would have no effect.")
    mode = "" if kind == "ensemble" else (match["mode"] or default_mode)
    return ContenderSpec(name, kind, "", mode, members, options)


def _is_option(word: str) -> bool:
    return re.match(r"^[a-z_]+=[^()]*$", word) is not None
