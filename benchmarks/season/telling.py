"""What a run is told as: its figures, and the week of one farmer."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy import func, select

from benchmarks import document
from benchmarks.season.habits import MONDAY, Farmer
from benchmarks.season.play import Play
from benchmarks.season.rules import PROMISE
from gateway.cases import life
from gateway.store.models import Case, Message


def transcript(play: Play) -> list[str]:
    """The week of the farmer who saw most, as Markdown; her codes are made-up ones."""
    in_week = MONDAY + timedelta(days=7)

    def kinds(farmer: Farmer) -> tuple[bool, int]:
        told = [one for one in play.told[farmer.phone] if one.at < in_week]
        seen = {one.template for one in told}
        return bool(seen & set(PROMISE)), len(seen) if len(told) < 40 else 0

    farmer = max(play.cast.farmers, key=kinds)
    told = [one for one in play.told[farmer.phone] if one.at < in_week]
    codes = list(dict.fromkeys(one.case for one in told if one.case))
    made_up = dict(zip(codes, ("K7Q2M93", "2345679", "CDFHJKM"), strict=False))
    lines = [f"`{farmer.phone}`, who speaks `{farmer.language}` and came by {farmer.by}:", ""]
    for one in told:
        text = one.text
        for code, instead in made_up.items():
            text = text.replace(code, instead)
        who = "she" if one.sent else "Leafline"
        lines.append(f"* {one.at:%a %H:%M} **{who}**: {text}")
    return lines


def figures(play: Play, hours_: int) -> list[str]:
    with play.context.store.reading() as session:
        states = Counter(session.scalars(select(Case.state)))
        texts = session.scalar(select(func.count()).where(Message.direction == "out"))
    rows = [
        [
            "farmers, officers, kiosks",
            f"{len(play.cast.farmers)}, {len(play.cast.officers)}, {len(play.cast.kiosks)}",
        ],
        ["cases", f"{sum(states.values())}"],
        ["of which answered", f"{states[life.CLOSED] + states[life.ANSWERED]}"],
        ["of which with a person and a day", f"{states[life.PROMISED]}"],
        ["SMS out", f"{texts}"],
        ["calls and visits announced", f"{sum(play.seen[name] for name in PROMISE)}"],
        ["reminders to officers", f"{play.seen['officer_reminder']}"],
        ["what came of it, asked", f"{play.seen['officer_promise_due']}"],
        ["passed to a colleague", f"{play.seen['officer_released']}"],
        ["days until all was settled", f"{hours_ / 24:.1f}"],
        ["contradictions, cases held too long, cases left", f"{len(play.faults)}"],
    ]
    return document.table(["of one run", ""], rows)
