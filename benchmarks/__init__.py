"""Repeatable measurements; each prints ratios to a named reference taken in the same run.

numpy gets one thread, as in every process of the service: this package is imported before it.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
