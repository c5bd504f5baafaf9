"""Which provider a message goes out by: pure rules.

Messages go by the first provider of the order. One that rests for long is passed over, but only by
messages that no provider can have had yet: what perhaps went by one must not go by another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """How a provider is. `down_for`: seconds since it first rested without taking anything."""

    resting: bool = False
    down_for: float = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """What one provider may take of the messages that are due.

    `fresh`: those that no provider can have had. `strangers`: also those that went by a provider
    that is not in `order` any more, for nobody else would ever take them.
    """

    provider: str
    order: tuple[str, ...]
    fresh: bool = True
    strangers: bool = True


def carrier(order: Sequence[Standing], after: float) -> int:
    """Place of the provider by which fresh messages go now.

    The first that does not rest, or rests for less than `after` seconds. A provider whose rest is
    over comes first again: what it does with one message shows how it is. Where all are down it is
    the first, which then has something to try with.
    """
    for place, provider in enumerate(order):
        if not provider.resting or provider.down_for < after:
            return place
    return 0


def share(names: Sequence[str], place: int, order: Sequence[Standing], after: float) -> Share:
    """What the provider at `place` may take now."""
    return Share(
        provider=names[place],
        order=tuple(names),
        fresh=carrier(order, after) == place,
        strangers=place == 0,
    )
