"""The message catalogue: every text that reaches a phone, its length, whether it was reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from gateway.context import Context
from gateway.dialogue.catalogue import Catalogue
from gateway.pages.operator import paging


@dataclass(frozen=True)
class Line:
    key: str
    text: str
    septets: int
    """At its longest."""
    limit: int
    reviewed: bool


def add_to(pages: Blueprint, context: Context) -> None:
    @cache
    def every() -> dict[str, list[Line]]:
        return lines(context.catalogue)

    @pages.get("/texts", endpoint="texts")
    def page() -> ResponseReturnValue:
        language = request.args.get("of", "")
        language = language if language in every() else context.settings.language
        unreviewed = "unreviewed" in request.args
        after = request.args.get("after", "")
        found = [
            line
            for line in every().get(language, [])
            if line.key > after and not (unreviewed and line.reviewed)
        ]
        return render_template(
            "operator/texts.html",
            here_is="texts",
            page=paging.cut(found, lambda line: line.key),
            of=language,
            unreviewed=unreviewed,
            state=context.catalogue.review_state(),
        )


def lines(catalogue: Catalogue) -> dict[str, list[Line]]:
    """Texts by language, by key. They do not change while the process lives."""
    found: dict[str, list[Line]] = {code: [] for code in catalogue.languages}
    for key, code, septets, limit in sorted(catalogue.lengths()):
        reviewed = key not in catalogue.unreviewed(code)
        found[code].append(Line(key, catalogue.text(key, code), septets, limit, reviewed))
    return found
