"""The photos of an officer's cases."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from gateway.context import Context
from gateway.pages.base.pictures import Pictures
from gateway.pages.officer.door import signed_in
from gateway.store.models import Escalation, Officer, Photo


def add_to(pages: Blueprint, context: Context) -> None:
    pictures = Pictures(context)

    def photo(officer: Officer, photo_id: int, kind: str) -> ResponseReturnValue:
        return pictures.show(_address(context, officer, photo_id), kind)

    pages.add_url_rule(
        "/officer/photo/<int:photo_id>/<kind>.jpg", "photo", signed_in(context, photo)
    )


def _address(context: Context, officer: Officer, photo_id: int) -> str | None:
    """Where the photo lies, if it belongs to a case that the officer holds or has answered."""
    query = (
        select(Photo.address)
        .join(Escalation, Escalation.case_id == Photo.case_id)
        .where(
            Photo.id == photo_id,
            Escalation.officer_id == officer.id,
            or_(Escalation.closed_at.is_(None), Escalation.outcome == "answered"),
        )
        .limit(1)
    )
    with context.store.reading() as session:
        return session.scalar(query)
