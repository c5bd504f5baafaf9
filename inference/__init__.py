"""Bytes in, verdict out: decode, prepare, run the ONNX model, judge. Knows nothing of `gateway`."""
