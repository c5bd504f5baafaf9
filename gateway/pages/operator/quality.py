"""How the machine does, and whether promises are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from gateway.context import Context
from gateway.figures import counts, statistics
from gateway.figures.counts import BINS, Share, Verdicts
from gateway.store.base import now

MODEL_WEEKS = 26
PROMISE_WEEKS = 8
CURRENT = range(0, 2)
REFERENCE = range(2, 14)
"""Weeks ago that are compared: the last two with the twelve before them."""
WELL, FAIRLY = 0.95, 0.8
"""Shares of kept promises from which a figure is plain, or amber; below it is red."""
VERDICTS = ("advice", "second_photo", "unknown", "no_leaf", "unreadable")


@dataclass(frozen=True)
class Week:
    """One week of the machine; shares are 0 to 1, None of nothing."""

    day: datetime
    photos: int
    confidence: float | None
    """Mean, of the photos that could be read."""
    abstained: float | None
    """Share that got no advice at once."""
    disagreed: float | None
    """Share that officers called something else, of those they labelled."""
    labelled: int


@dataclass(frozen=True)
class Comparison:
    what: str
    index: float
    verdict: statistics.Drift


@dataclass(frozen=True)
class Promise:
    day: datetime
    photos: Share
    escalations: Share


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/model", endpoint="model")
    def model() -> ResponseReturnValue:
        end = counts.end_of_day()
        with context.store.reading() as session:
            said = counts.verdicts(session, end, MODEL_WEEKS)
            differed = counts.disagreements(session, end, MODEL_WEEKS)
        return render_template(
            "operator/model.html",
            here_is="model",
            weeks=weeks(said, differed, end),
            comparisons=comparisons(said),
            least=statistics.LEAST_SAMPLE,
        )

    @pages.get("/promises", endpoint="promises")
    def promises() -> ResponseReturnValue:
        end, moment = counts.end_of_day(), now()
        with context.store.reading() as session:
            photos = counts.answered_in_time(session, end, PROMISE_WEEKS)
            people = counts.escalations_in_time(session, end, PROMISE_WEEKS, moment)
        return render_template(
            "operator/promises.html",
            here_is="promises",
            weeks=kept(photos, people, end),
            total=(_sum(photos), _sum(people)),
            share=statistics.share,
            kept=kept_well,
        )


def weeks(said: Sequence[Verdicts], differed: Sequence[Share], end: datetime) -> list[Week]:
    """Newest first."""
    found = []
    labels = {share.weeks_ago: share for share in differed}
    for ago in range(MODEL_WEEKS):
        rows = [row for row in said if row.weeks_ago == ago]
        photos = sum(row.count for row in rows)
        readable = [row for row in rows if row.verdict != "unreadable"]
        advised = sum(row.count for row in rows if row.verdict == "advice")
        read = sum(row.count for row in readable)
        label = labels.get(ago, Share(ago, 0, 0))
        found.append(
            Week(
                day=end - timedelta(days=7 * ago + 1),
                photos=photos,
                confidence=sum(row.confidence for row in readable) / read if read else None,
                abstained=statistics.share(photos - advised, photos),
                disagreed=statistics.share(label.part, label.whole),
                labelled=label.whole,
            )
        )
    return found


def comparisons(said: Sequence[Verdicts]) -> list[Comparison]:
    """Whether confidence and verdicts are spread as they were before."""

    def spread(ago: range, of: str) -> list[int]:
        rows = [row for row in said if row.weeks_ago in ago]
        if of == "verdict":
            return [sum(r.count for r in rows if r.verdict == name) for name in VERDICTS]
        read = [row for row in rows if row.verdict != "unreadable"]
        return [sum(row.count for row in read if row.bin == n) for n in range(BINS)]

    return [
        Comparison(what, *statistics.drift(spread(REFERENCE, what), spread(CURRENT, what)))
        for what in ("confidence", "verdict")
    ]


def kept_well(share: float | None) -> str:
    """`warn` or `bad` for a share of promises that is not what was promised."""
    return "" if share is None or share >= WELL else "warn" if share >= FAIRLY else "bad"


def kept(photos: Sequence[Share], people: Sequence[Share], end: datetime) -> list[Promise]:
    """Newest first."""
    first = {share.weeks_ago: share for share in photos}
    second = {share.weeks_ago: share for share in people}
    return [
        Promise(
            end - timedelta(days=7 * ago + 1),
            first.get(ago, Share(ago, 0, 0)),
            second.get(ago, Share(ago, 0, 0)),
        )
        for ago in range(PROMISE_WEEKS)
    ]


def _sum(shares: Sequence[Share]) -> Share:
    return Share(0, sum(s.whole for s in shares), sum(s.part for s in shares))
