"""A MONAI bundle: the network as a torch program, its description, and a configuration that MONAI can run."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.deploy.export.document import ExportDocument

__all__ = ["PROGRAM", "write_monai"]

PROGRAM = "models/model.pt2"
# The MONAI release with which the layout was run (`python -m monai.bundle run`).
MONAI = "1.6.1"
PARTS = "headtohead.deploy.export.monai_parts"


def write_monai(program: bytes, document: ExportDocument, folder: Path) -> None:
    """Write a MONAI bundle.

    Args:
        program: the torch program, with the document inside.
        document: the model's description.
        folder: made if needed.
    """
    write_atomic(folder / PROGRAM, program)
    write_json(folder / "configs" / "metadata.json", _metadata(document))
    write_json(folder / "configs" / "inference.json", _inference())
    write_atomic(folder / "docs" / "README.md", _readme(document))


def _metadata(document: ExportDocument) -> dict[str, Any]:
    side, config = document.preprocessing.inputs[0].input_size, document.config
    return {
        "schema": "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json",
        "version": document.version,
        "changelog": {document.version: f"exported by headtohead from bundle {document.digest}"},
        "monai_version": MONAI,
        # without the build, such as "+cpu"
        "pytorch_version": metadata.version("torch").partition("+")[0],
        "numpy_version": metadata.version("numpy"),
        # MONAI's evaluators are built on ignite.
        "required_packages_version": {"headtohead": document.version, "pytorch-ignite": "0.5.5"},
        "name": document.config.name,
        "task": "2-D medical image classification",
        "description": f"{config.name}: {', '.join(config.classes)}. Research use only; not for diagnosis.",
        "authors": "the user of headtohead who trained it",
        "copyright": "the user of headtohead who trained it",
        "intended_use": "Research on the user's own images. Not for diagnosis, prognosis or treatment decisions.",
        "data_type": "any image that headtohead reads",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "modality": "n/a",
                    "num_channels": 3,
                    "spatial_shape": [side, side],
                    "dtype": "float32",
                    "value_range": [],  # normalised pixels have no fixed range
                    "is_patch_data": False,
                    "channel_def": {"0": "red", "1": "green", "2": "blue"},
                }
            },
            "outputs": {
                "pred": {
                    "type": "probabilities",
                    "format": "classes",
                    "num_channels": len(document.config.classes),
                    "spatial_shape": [],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {str(place): name for place, name in enumerate(document.config.classes)},
                }
            },
        },
    }


def _inference() -> dict[str, Any]:
    """Return the configuration; files of `dataset_dir` go through the recipe, the network and the calibration."""
    program = f"$@bundle_root + '/{PROGRAM}'"
    return {
        "imports": ["$import glob", "$import os", "$import torch"],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/images'",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cpu')",
        "datalist": "$[{'image': p} for p in sorted(glob.glob(os.path.join(@dataset_dir, '*'))) if os.path.isfile(p)]",
        "network_def": {"_target_": f"{PARTS}.ProgramNetwork", "path": program},
        "network": "$@network_def.to(@device)",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [{"_target_": f"{PARTS}.PrepareImage", "path": program}],
        },
        "dataset": {"_target_": "Dataset", "data": "@datalist", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 8, "num_workers": 0},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": f"{PARTS}.CalibratedProbabilities", "path": program, "keys": "pred"},
                {
                    "_target_": "SaveClassificationd",
                    "keys": "pred",
                    "saver": "$monai.data.CSVSaver(output_dir=@output_dir, filename='predictions.csv')",
                    "meta_keys": "image_meta_dict",
                },
            ],
        },
        "handlers": [],
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "val_handlers": "@handlers",
        },
        "run": ["$@evaluator.run()"],
    }


def _readme(document: ExportDocument) -> str:
    config = document.config
    return (
        f"# {config.name}\n\nResearch use only; not for diagnosis. Classes: {', '.join(config.classes)}. "
        f"Exported by headtohead {document.version} from the bundle {document.digest}.\n\n"
        "```\npython -m monai.bundle run --meta_file configs/metadata.json --config_file configs/inference.json "
        "--bundle_root . --dataset_dir FOLDER\n```\n\n"
        "`headtohead` must be installed beside MONAI: the preprocessing is its own code, so that the answers are "
        "the same.\n"
    )
