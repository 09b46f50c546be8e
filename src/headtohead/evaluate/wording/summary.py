"""The answer of a verdict: the pair, or the best of several contenders, and how they stand to the controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headtohead.core.records import Comparison, Score
from headtohead.core.tables.details import BestSet
from headtohead.evaluate.wording.numbers import interval_words, listed
from headtohead.evaluate.wording.pair import Cases, comparative, sample_size_sentence
from headtohead.stats.metrics.metric import Metric

__all__ = ["Answer", "short_name", "summary_sentence"]

_FACTS, _MAJORITY = "file-facts", "majority"
_LONGEST_NAME = 60  # characters before an ensemble is shortened in a sentence
_TARGETS = {
    "learners": "This is about the methods, trained on samples like this one.",
    "fixed_models": "This is about these fitted models, not about the methods that made them.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the answer is made from.

    Attributes:
        scores: of the primary metric. stated: whether a primary pair was stated beforehand.
        best: of three or more contenders.
    """

    metric: Metric
    comparisons: Sequence[Comparison]
    scores: Sequence[Score]
    baselines: Sequence[str]
    cases: Cases
    stated: bool = False
    best: BestSet | None = None

    @property
    def contenders(self) -> list[Score]:
        """Scores of the contenders, the best first; those without a value last, ties by name."""
        mine = [s for s in self.scores if s.contender not in self.baselines]
        return sorted(
            mine,
            key=lambda s: (s.value is None, -self.metric.sign * (s.value or 0.0), s.contender),
        )

    @property
    def among(self) -> list[Comparison]:
        """Comparisons among contenders."""
        return [c for c in self.comparisons if not {c.a, c.b} & set(self.baselines)]


def summary_sentence(answer: Answer) -> str:
    """Return the verdict: the pair, or the best of several; the controls; methods or fitted models.

    A single contender is described; its comparisons with baselines are no contest and stay in the table.
    """
    contenders = answer.contenders
    if not contenders:
        return f"There are only controls ({', '.join(answer.baselines)}), so there is nothing to compare."
    refused = any(c.verdict == "refused" for c in answer.comparisons)
    if len(contenders) == 1:
        parts = [_alone(answer, contenders[0])]
    elif len(contenders) == 2:
        parts = [answer.among[0].sentence]
    else:
        parts = [answer.among[0].sentence if answer.stated or refused else "", _several(answer, contenders)]
    if not refused:
        parts += [_controls(answer), _facts(answer)]
        if answer.among:
            first = answer.among[0]
            parts += [
                sample_size_sentence(first.details.power, answer.cases, answer.metric),
                _TARGETS[first.target] if any(c.verdict != "identical" for c in answer.among) else "",
            ]
    return " ".join(filter(None, parts))


def _several(answer: Answer, contenders: Sequence[Score]) -> str:
    """Return which of three or more contenders has the best value, and what is shown of the others."""
    first = contenders[0]
    if any(c.verdict == "refused" for c in answer.among) or first.value is None:
        return ""
    names = [score.contender for score in contenders]
    beaten = [
        n for n in names[1:] if any(c.winner == first.contender and n in (c.a, c.b) for c in answer.among)
    ]
    alike = [n for n in names[1:] if _verdict(answer, first.contender, n) == "equivalent"]
    same = [n for n in names[1:] if _verdict(answer, first.contender, n) == "identical"]
    open_ = [n for n in names[1:] if n not in {*beaten, *alike, *same}]
    span = (
        interval_words(first.low, first.high, first.level)
        if first.low is not None and first.high is not None
        else ""
    )
    high = "highest" if answer.metric.sign > 0 else "lowest"
    lead = f"Of {len(names)} contenders {first.contender} has the {high} {answer.metric.title}, {first.value:.3f}"
    sentence = f"{lead}{f' ({span}; {answer.cases.words()})' if span else ''}."
    if beaten:
        sentence += f" It {comparative(answer.metric)} than {listed(beaten)}."
    if same:
        sentence += f" Its predictions are those of {listed(same)}."
    if alike:
        sentence += f" It differs by less than the margin given from {listed(alike)}."
    if open_:
        sentence += f" The data cannot tell it from {listed(open_)}."
    return f"{sentence} {_best_words(answer.best)}".rstrip()


def _best_words(best: BestSet | None) -> str:
    if best is None or len(best.candidates) < 1:
        return ""
    sure = f"with {100 * best.level:g} % confidence"
    if len(best.candidates) == 1:
        return f"It is the best, {sure}."
    if not best.excluded:
        return "Any of them may be the best; none can be ruled out."
    rest = "the others are not" if len(best.excluded) > 1 else f"{best.excluded[0]} is not"
    return f"The best may be {listed(best.candidates, 'or')}; {sure}, {rest}."


def _verdict(answer: Answer, a: str, b: str) -> str:
    return next((c.verdict for c in answer.among if {c.a, c.b} == {a, b}), "")


def _alone(answer: Answer, only: Score) -> str:
    if refusal := next((c.details.refusal for c in answer.comparisons), ""):
        return f"No verdict on {only.contender}: refused, because {refusal}."
    lead = f"There is one contender, so there is nothing to compare: {only.contender}"
    if only.value is None or only.low is None or only.high is None:
        return f"{lead} has no {answer.metric.title} ({only.note})."
    span = interval_words(only.low, only.high, only.level)
    first = f"{lead} reaches {answer.metric.title} {only.value:.3f} ({span}; {answer.cases.words()})."
    return f"{first} {'' if _facts(answer) else _against_majority(answer, only)}".rstrip()


def _against_majority(answer: Answer, only: Score) -> str:
    found = next((c for c in answer.comparisons if c.b == _MAJORITY), None)
    if found is None:
        return ""
    words = {only.contender: "does better", _MAJORITY: "does worse"}
    stands = words.get(found.winner or "", "is not shown to do better")
    return f"It {stands} than always answering with the class frequencies."


def _controls(answer: Answer) -> str:
    """Return how each contender stands to each control that the user named."""
    named = [name for name in answer.baselines if name not in (_FACTS, _MAJORITY)]
    return " ".join(filter(None, (_control(answer, name) for name in named)))


def _control(answer: Answer, name: str) -> str:
    value = next((s.value for s in answer.scores if s.contender == name), None)
    if value is None:
        return f"The control {name} has no {answer.metric.title}."
    stands: dict[str, list[str]] = {}
    for score in answer.contenders:
        pair = next((c for c in answer.comparisons if (c.a, c.b) == (score.contender, name)), None)
        if pair is None:
            continue
        words = {score.contender: "shown to be better", name: "shown to be worse"}
        if pair.verdict == "equivalent":
            word = "within the margin given"
        elif str(pair.verdict) == "identical":
            word = "the same predictions"
        else:
            word = words.get(pair.winner or "", "not shown to differ")
        stands.setdefault(word, []).append(score.contender)
    told = "; ".join(
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} {word}" for word, names in stands.items()
    )
    return f"Against the control {name} ({answer.metric.title} {value:.3f}): {told}." if told else ""


def _facts(answer: Answer) -> str:
    values = {s.contender: s.value for s in answer.scores if s.value is not None}
    facts = values.get(_FACTS)
    contenders = [s for s in answer.contenders if s.value is not None]
    if facts is None or not contenders or _FACTS not in answer.baselines:
        return ""
    best = contenders[0]
    pair = next((c for c in answer.comparisons if {c.a, c.b} == {best.contender, _FACTS}), None)
    words = {best.contender: "beats it", _FACTS: "does worse"}
    stands = words.get((pair.winner if pair else None) or "", "is not shown to beat it")
    if pair is not None and pair.loses_lead_to_adjustment(best.contender, answer.metric.sign):
        stands = (
            "leads, and the interval of its lead lies above 0, but it is not shown to beat it after adjustment for "
            "several tests"
        )
    return (
        "A classifier that sees only the file's facts (size, type), never the image, reaches "
        f"{answer.metric.title} {facts:.3f}, so part of what the images show may be how files were made; "
        f"{short_name(best.contender)}, with {best.value:.3f}, {stands}."
    )


def short_name(name: str) -> str:
    """Return the name, or of a long ensemble how many members it has: the tables name them."""
    if len(name) <= _LONGEST_NAME or not name.startswith("ensemble("):
        return name
    depth, members = 0, 1
    for i, letter in enumerate(name):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        # Commas between members: not those inside a member, nor the one before "how=".
        members += letter == "," and depth == 1 and not name[i + 1 :].lstrip().startswith("how=")
    return f"the ensemble of {members}"
