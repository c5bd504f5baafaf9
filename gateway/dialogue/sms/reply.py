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
    texts: tuple[str, ...] = ()
    """Filled already, an SMS each; then `values` are not used."""
