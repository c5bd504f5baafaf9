from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reply:
    """A text for whoever wrote."""

    template: str
    language: str
    values: dict[str, str] = field(default_factory=dict)
    farmer_id: str | None = None
    case_id: int | None = None
    must: bool = False
    """Sent however many replies this number has got: it confirms what may not be in doubt."""
