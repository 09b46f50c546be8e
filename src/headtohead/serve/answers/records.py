"""The answers of the server as records; they make its OpenAPI description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from headtohead.deploy.prediction import ImagePrediction
from headtohead.serve.hosting.registry import ServedModel

__all__ = [
    "ComparedModels",
    "FilePrediction",
    "GuardNotice",
    "ModelDescription",
    "ModelList",
    "ModelPredictions",
    "ProblemDetails",
    "file_prediction",
    "in_words",
    "model_description",
    "model_predictions",
]


class ServerAnswer(BaseModel):
    """Base of the records that the server answers with."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class GuardNotice(ServerAnswer):
    """Something about an image that makes its prediction less trustworthy."""

    code: str = Field(examples=["far_from_training"])
    message: str = Field(examples=["The image is unlike those of training."])


class FilePrediction(ServerAnswer):
    """A model's prediction for one file, or the reason why there is none."""

    file: str = Field(description="Name of the file as sent, without folders.", examples=["scan.dcm"])
    sha256: str = Field(description="Of the file's bytes.")
    probabilities: dict[str, float] = Field(
        description="Calibrated probability of each class.", examples=[{"no": 0.17, "yes": 0.83}]
    )
    label: str | None = Field(description="Class at the threshold; null with an error.", examples=["yes"])
    threshold: float | None = Field(description="Of the positive class; null: the most probable class.")
    set: list[str] = Field(description="Conformal set: the classes that cannot be excluded.")
    abstains: bool = Field(description="Whether the set does not hold exactly one class.")
    flags: list[GuardNotice] = Field(description="What the guard noticed.")
    error: str | None = Field(description="Why the file could not be read.")
    sentence: str = Field(description="The probability in words.")


class ModelPredictions(ServerAnswer):
    """Predictions of one model, in the order of the files."""

    model: str = Field(examples=["efficientnet-lite0"])
    digest: str = Field(description="SHA-256 that stands for the whole bundle.")
    predictions: list[FilePrediction]
    research_use_only: Literal[True] = True


class ComparedModels(ServerAnswer):
    """Predictions of all models on the same files."""

    models: list[ModelPredictions]
    agree: list[bool | None] = Field(
        description="For each file: whether all models give one label; null if a model gives none."
    )
    research_use_only: Literal[True] = True


class ModelDescription(ServerAnswer):
    """A model that is served."""

    name: str
    contender: str = Field(description="What was trained, as `headtohead compare` names it.")
    digest: str
    classes: list[str]
    positive: str | None
    estimate: dict[str, Any] = Field(description="Scores on data that it was not trained on, and caveats.")
    milliseconds: float = Field(description="Time for one image at the start of the server.")
    max_batch: int = Field(description="Images computed together, if they wait already.")
    explains: bool = Field(description="Whether /v1/explain has maps for it.")


class ModelList(ServerAnswer):
    """The models that are served."""

    models: list[ModelDescription]
    research_use_only: Literal[True] = True


class ProblemDetails(ServerAnswer):
    """An error (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unsupported Media Type"])
    status: int = Field(examples=[415])
    detail: str


def file_prediction(file: str, result: ImagePrediction, positive: str | None) -> FilePrediction:
    """Return the answer for one file."""
    probabilities = {name: float(value) for name, value in result.probabilities.items()}
    failed = result.error is not None
    return FilePrediction(
        file=file,
        sha256=result.sha256,
        probabilities=probabilities,
        label=None if failed else result.predicted,
        threshold=result.threshold,
        set=[] if failed else list(result.set),
        abstains=bool(result.abstains),
        flags=[_notice(flag) for flag in result.flags],
        error=result.error,
        sentence="" if failed else in_words(probabilities, positive, result.predicted),
    )


def model_predictions(
    served: ServedModel, names: Iterable[str], results: Iterable[ImagePrediction]
) -> ModelPredictions:
    """Return the answer of one model."""
    return ModelPredictions(
        model=served.name,
        digest=served.model.digest,
        predictions=[
            file_prediction(name, result, served.model.positive)
            for name, result in zip(names, results, strict=True)
        ],
    )


def model_description(served: ServedModel, *, max_batch: int, explains: bool) -> ModelDescription:
    """Return the description of a model."""
    model = served.model
    return ModelDescription(
        name=served.name,
        contender=model.contender,
        digest=model.digest,
        classes=list(model.classes),
        positive=model.positive,
        estimate=dict(model.estimate),
        milliseconds=round(served.warm.alone * 1000, 1),
        max_batch=max_batch if served.warm.pays else 1,
        explains=explains,
    )


def in_words(probabilities: Mapping[str, float], positive: str | None, label: str | None) -> str:
    """Return a probability as a natural frequency, which readers misjudge less than a percentage.

    Args:
        probabilities: of each class.
        positive: the class to speak of; None or unknown: the label.
        label: the predicted class.

    >>> in_words({"no": 0.17, "yes": 0.83}, "yes", "yes")
    'Of 100 such images about 83 are “yes”.'
    >>> in_words({"no": 0.999, "yes": 0.001}, "yes", "no")
    'Of 100 such images fewer than 1 are “yes”.'
    """
    name = positive if positive in probabilities else label
    if name is None or name not in probabilities:
        return ""
    value = probabilities[name]
    # "about 0" and "about 100" would be read as never and always.
    if value < 0.01:
        amount = "fewer than 1"
    elif value > 0.99:
        amount = "more than 99"
    else:
        amount = f"about {round(100 * value)}"
    return f"Of 100 such images {amount} are “{name}”."


def _notice(flag: str) -> GuardNotice:
    """Return a code of the guard with its sentence."""
    from headtohead.deploy.guard.guard import FLAGS

    words = FLAGS.get(flag, flag.replace("_", " "))
    end = "" if words.endswith("?") else "."
    return GuardNotice(code=flag, message=f"{words[:1].upper()}{words[1:]}{end}")
