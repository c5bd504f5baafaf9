"""`python -m gateway`: the `leafline` command without its script, as the supervisor starts it."""

from gateway.cli import main

main(prog_name="leafline")
