"""The parts of a bundle's network while it is put together: bodies, members, inputs and their tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from headtohead.backbones.features.views import FeatureView
from headtohead.backbones.load import load_backbone, network_settings
from headtohead.backbones.network import Backbone
from headtohead.backbones.record import BackboneRecord
from headtohead.contenders.mode import PlannedContender
from headtohead.deploy.bundle.records import (
    BodySpec,
    InputSpec,
    MemberSpec,
    PreprocessorConfig,
    RecipeSpec,
)
from headtohead.deploy.network.heads import LinearScores, MlpScores
from headtohead.heads.mlp import FittedMlp
from headtohead.preprocess.recipe import Recipe
from headtohead.training.logistic import FittedProbe

__all__ = ["PartsList", "lora_merged"]

BodyKind = Literal["backbone", "hybrid", "reader"]


class PartsList:
    """Bodies, members and inputs in the order in which they were added, and the tensors of all.

    Args:
        recipe: of every input.
        classes: in the order of the outputs.
        seed: of random weights (`scratch:`).
    """

    def __init__(self, recipe: Recipe, classes: Sequence[str], seed: int = 0) -> None:
        self._recipe, self._k, self._seed = recipe, len(classes), seed
        self.bodies: list[BodySpec] = []
        self.members: list[MemberSpec] = []
        self.inputs: list[InputSpec] = []
        self.tensors: dict[str, Tensor] = {}
        self._frozen: dict[str, int] = {}

    def preprocessing(self) -> PreprocessorConfig:
        """Return the record of the inputs."""
        return PreprocessorConfig(recipes=(RecipeSpec.of(self._recipe),), inputs=tuple(self.inputs))

    def input_of(self, record: BackboneRecord) -> int:
        """Return the number of the input that a record's weights ask for, added where it is new."""
        spec = InputSpec(
            input_size=record.input_size, mean=record.mean, std=record.std, interpolation=record.interpolation
        )
        if spec not in self.inputs:
            self.inputs.append(spec)
        return self.inputs.index(spec)

    def add_frozen(self, contender: PlannedContender, found: FittedProbe | FittedMlp) -> int:
        """Add a head on frozen features, and its backbones where they are new; return the member's number."""
        view = FeatureView() if contender.mode is None else contender.mode.view
        bodies = tuple(self._frozen_body(record) for record in contender.records)
        inputs = tuple(self.input_of(record) for record in contender.records)
        head: nn.Module
        if isinstance(found, FittedProbe):
            linear = LinearScores(len(found.mean), self._k)
            linear.fill(found.mean, found.scale, found.weights, found.bias)
            head, facts = linear, {"head": "linear"}
        else:
            head, facts = _mlp(found, self._k)
        spec = MemberSpec.model_validate({**facts, "bodies": bodies, "inputs": inputs, "view": str(view)})
        return self.add_member(spec, head.state_dict())

    def add_member(self, spec: MemberSpec, head: Mapping[str, Tensor]) -> int:
        """Add a member with the tensors of its head; return its number."""
        number = len(self.members)
        self.members.append(spec)
        self.tensors |= {f"heads.{number}.{name}": tensor for name, tensor in head.items()}
        return number

    def add_tuned_body(
        self, kind: str, records: Sequence[BackboneRecord], body: nn.Module, state: Mapping[str, Tensor]
    ) -> int:
        """Add a network that was trained further; return its number."""
        return self._add_body(kind, records, _backbones(kind, body), state, tuned=True)

    def _frozen_body(self, record: BackboneRecord) -> int:
        if record.name not in self._frozen:
            backbone = load_backbone(record, seed=self._seed)
            number = self._add_body("backbone", [record], [backbone], backbone.state_dict(), tuned=False)
            self._frozen[record.name] = number
        return self._frozen[record.name]

    def _add_body(
        self,
        kind: str,
        records: Sequence[BackboneRecord],
        backbones: Sequence[Backbone],
        state: Mapping[str, Tensor],
        *,
        tuned: bool,
    ) -> int:
        number = len(self.bodies)
        # the path is of this machine
        facts = tuple(b.weights.model_dump(mode="json", exclude={"path"}) for b in backbones)
        self.bodies.append(
            BodySpec.model_validate(
                {
                    "kind": kind,
                    "records": tuple(record.without_folder() for record in records),
                    "settings": tuple(network_settings(backbone) for backbone in backbones),
                    "weights": facts,
                    "tuned": tuned,
                }
            )
        )
        self.tensors |= {f"bodies.{number}.{name}": tensor for name, tensor in state.items()}
        return number

    def leave_out_frozen(self) -> list[str]:
        """Leave the weights of frozen bodies out of the bundle; they are loaded and checked with the model.

        Weights of a local file and random ones stay, since no other machine could load them; their names are returned.
        """
        kept = []
        for number, body in enumerate(self.bodies):
            if body.tuned:
                continue
            if {record.source for record in body.records} & {"file", "scratch"}:
                kept += [record.name for record in body.records]
                continue
            self.bodies[number] = body.model_copy(update={"stored": False})
            prefix = f"bodies.{number}."
            self.tensors = {name: t for name, t in self.tensors.items() if not name.startswith(prefix)}
        return kept


def _backbones(kind: str, body: Any) -> list[Backbone]:
    if kind == "hybrid":
        return [body.first, body.second]
    return [body.backbone] if kind == "reader" else [body]


def _mlp(found: FittedMlp, k: int) -> tuple[MlpScores, dict[str, Any]]:
    """Return the module of a fitted MLP, its dropouts left out."""
    hidden = int(found.networks[0][1].out_features)
    head = MlpScores(len(found.mean), k, hidden, len(found.networks))
    with torch.no_grad():
        head.mean.copy_(torch.from_numpy(found.mean))
        head.scale.copy_(torch.from_numpy(found.scale))
    for target, net in zip(head.networks, found.networks, strict=True):
        # 0 and 3 are dropouts, 2 is the GELU
        target[0].load_state_dict(net[1].state_dict())  # type: ignore[index]
        target[2].load_state_dict(net[4].state_dict())  # type: ignore[index]
    return head, {"head": "mlp", "hidden": hidden, "networks": len(found.networks)}


def lora_merged(state: Mapping[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Return a body's tensors with low-rank adapters added to the weights that they adapt.

    W + scaling * B A (Hu et al. 2022, section 4.1); without adapters the tensors as they are.
    """
    scalings = {
        name.removeprefix("backbone."): layer.scaling["default"]
        for name, layer in net.named_modules()
        if hasattr(layer, "lora_A") and hasattr(layer, "base_layer")
    }
    merged = {n: t for n, t in state.items() if ".lora_" not in n}
    for name, scaling in scalings.items():
        a = state[f"{name}.lora_A.default.weight"]
        b = state[f"{name}.lora_B.default.weight"]
        change = (b.flatten(1) @ a.flatten(1)) * float(scaling)  # kernels of convolutions as matrices
        weight = f"{name}.base_layer.weight"
        merged[weight] = merged[weight] + change.reshape(merged[weight].shape)
    return {n.replace(".base_layer.", "."): t for n, t in merged.items()}
