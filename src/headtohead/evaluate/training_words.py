"""One sentence on how each contender was trained, from what its cells recorded and never from unused settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["training_sentence", "was_selected"]

_FROZEN = {
    "probe": ("L2-penalised logistic regression", "C"),
    "mlp": ("a network with one hidden layer", "weight decay"),
}
_AUTO = "light"  # the preset that "auto" means in training; a test compares the two
_TUNED = {
    "finetune": "all weights of the network fine-tuned",
    "partial": "the last blocks of the network fine-tuned",
    "bitfit": "biases and normalisations of the network fine-tuned, its matrices unchanged",
    "lora": "low-rank adapters trained in the network, its own weights unchanged",
    "reader": "a small transformer on the feature map trained together with the network",
}
# By the first word of the policy that a cell recorded.
_CHOSEN = {"fixed": "nothing", "rate": "learning rate", "inner": "epochs"}
_CHOICES = {
    "nothing": "nothing chosen",
    "learning rate": "the learning rate chosen on an inner grouped fold of each training part",
    "epochs": "the number of epochs chosen on an inner grouped fold of each training part",
}
_JOINED = {
    "seeds": "average of trainings from different seeds",
    "folds": "average of models that were each fitted without one inner fold",
    "snapshots": "average of states of one training",
}


def training_sentence(name: str, mode: str, chosen: Sequence[Mapping[str, Any]]) -> str:
    """Return how one contender was trained.

    Args:
        name: the contender.
        mode: the training mode with its option, "probe:layers"; "" for combinations of other contenders.
        chosen: what each cell recorded about its choices.

    Returns:
        a sentence, or "" where the cells recorded nothing.

    >>> training_sentence("a", "mlp", [{"grid": [0.1]}])
    'a: a network with one hidden layer on frozen features; no augmentation.'
    """
    if not chosen:
        return ""
    kind = mode.partition(":")[0]
    if kind in _FROZEN:
        return f"{name}: {_frozen(mode, chosen)}."
    if kind in _TUNED:
        return f"{name}: {_tuned(mode, chosen)}."
    how = str(chosen[0].get("how", ""))
    if how in _JOINED:
        return f"{name}: {_JOINED[how]}."
    return f"{name}: combination of its members' probabilities ({how})." if how else ""


def was_selected(mode: str, chosen: Sequence[Mapping[str, Any]]) -> str:
    """Return what was chosen on inner folds, "nothing" where nothing was, and "" where it is not known."""
    kind = mode.partition(":")[0]
    if kind in _FROZEN and chosen:
        # A grid of one value leaves nothing to choose.
        return _FROZEN[kind][1] if any(len(one.get("grid", ())) > 1 for one in chosen) else "nothing"
    if kind in _TUNED and chosen:
        return _CHOSEN[str(chosen[0].get("policy", "")).partition(":")[0].partition(" ")[0]]
    return ""


def _frozen(mode: str, chosen: Sequence[Mapping[str, Any]]) -> str:
    kind, _, view = mode.partition(":")
    what, parameter = _FROZEN[kind]
    sizes = [len(one.get("grid", ())) for one in chosen]
    most = max(sizes)
    features = f"frozen features ({view})" if view else "frozen features"
    words = f"{what} on {features}"
    if most > 1:
        words += f"; {parameter} chosen from {most} values on inner grouped folds of each training part"
        words += _at_edge(parameter, chosen)
    tail = "no epochs, no augmentation of training images" if kind == "probe" else "no augmentation"
    return f"{words}; {tail}"


def _at_edge(parameter: str, chosen: Sequence[Mapping[str, Any]]) -> str:
    """Return how often the smallest or greatest value was chosen, beyond which a better one may lie."""
    key, low, high = parameter.replace(" ", "_"), 0, 0
    for one in chosen:
        low += one.get(key) == min(one["grid"])
        high += one.get(key) == max(one["grid"])
    ends = [f"the {end} of them in {n}" for end, n in (("smallest", low), ("greatest", high)) if n]
    return f" ({' and '.join(ends)} of {len(chosen)} cells)" if ends else ""


def _tuned(mode: str, chosen: Sequence[Mapping[str, Any]]) -> str:
    kind, _, option = mode.partition(":")
    words = [_TUNED[kind] + (f" ({option})" if option else "")]
    epochs = sorted({int(one["epochs"]) for one in chosen if "epochs" in one})
    if epochs:
        words.append(f"{epochs[0]} epochs" if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]} epochs")
    words.append(_CHOICES[was_selected(mode, chosen)])
    settings: Mapping[str, Any] = chosen[0].get("settings", {})
    for key, text in (
        ("batch", "batch {}"),
        ("augment", "augmentation {}"),
        ("weight_decay", "weight decay {}"),
    ):
        if key in settings:
            value = settings[key]
            words.append(text.format(_AUTO if (key, value) == ("augment", "auto") else value))
    rates = sorted(
        {
            float(one["settings"]["learning_rate"])
            for one in chosen
            if "learning_rate" in one.get("settings", {})
        }
    )
    if rates:
        words.append(
            "peak learning rate "
            + " to ".join(f"{rate:.3g}" for rate in dict.fromkeys((rates[0], rates[-1])))
        )
    if layers := chosen[0].get("layers"):
        words.append(_layers(layers))
    return "; ".join(words)


def _layers(layers: Mapping[str, Any]) -> str:
    """Return how many blocks learned, and their rates as shares of the head's."""
    words = f"{layers['trained']} of {layers['blocks']} blocks of the network trained"
    if "lowest_rate" not in layers:
        return words
    low, high = (layers[key] / layers["head_rate"] for key in ("lowest_rate", "highest_rate"))
    return f"{words}, at {low:.2g} to {high:.2g} of that rate"
