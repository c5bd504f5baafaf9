"""From a folder of photos to `inference/model`: prepare, train, quantise, evaluate, report."""
