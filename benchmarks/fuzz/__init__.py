"""Fuzzing with atheris, guided by what code of ours an input reaches."""
