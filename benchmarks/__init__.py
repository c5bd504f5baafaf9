"""Repeatable measurements; each prints ratios to a named reference taken in the same run."""
