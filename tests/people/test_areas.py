from __future__ import annotations

import pytest

from gateway.people import areas


@pytest.mark.parametrize(
    ("officer", "case", "closeness"),
    [
        ("Rwamagana", "Rwamagana", 2),
        ("Rwamagana", "Rwamagana/Muhazi", 2),
        ("Rwamagana/Muhazi", "Rwamagana/Muhazi", 3),
        ("rwamagana / muhazi", "RWAMAGANA/Muhazi", 3),
        ("Rwamagana/Muhazi", "Rwamagana", 0),
        ("Rwamagana", "Kayonza", 0),
        ("Rwama", "Rwamagana", 0),
        ("Pèrlé", "perle", 2),
        ("*", "Kayonza", 1),
        ("Rwamagana", None, 1),
        ("Rwamagana", " / ", 1),
    ],
)
def test_closeness(officer: str, case: str | None, closeness: int) -> None:
    assert areas.closeness(officer, case) == closeness
