"""Where a network runs: torch, ONNX Runtime or OpenVINO, each a batch in and logits out."""
