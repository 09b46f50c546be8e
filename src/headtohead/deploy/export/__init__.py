"""One file from a model: ONNX, OpenVINO, torch program or MONAI bundle, with parity proved on images."""
