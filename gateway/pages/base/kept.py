"""What somebody wrote while their sign-in ended: carried through the sign-in, then handed back.

It travels in the sign-in form, signed, so that nobody else can put words into it, and is sent only
when its writer says so once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request
from itsdangerous import BadSignature
from werkzeug.datastructures import MultiDict

from gateway import sessions

FIELD = "kept"
SECRET = frozenset({"again", "code", "csrf_token", "new", "password", "pending", "pin", FIELD})
"""Fields that are asked for anew."""
LONGEST = 64 * 1024
"""Letters of all fields together; more is no form of ours."""
GOOD_FOR = 24 * 3600


@dataclass(frozen=True)
class Kept:
    to: str
    """The address to which the form was going."""
    fields: tuple[tuple[str, str], ...]

    @property
    def words(self) -> list[str]:
        """What a person would have to write again."""
        return [value for _, value in self.fields if len(value.split()) > 1]

    def sealed(self) -> str:
        sealed = sessions.signer(FIELD).dumps([self.to, list(self.fields)])
        return sealed if isinstance(sealed, str) else sealed.decode()


def written() -> Kept | None:
    """The form of this request, or None when nothing would have to be written again."""
    if request.method != "POST":
        return None
    fields = tuple(
        (name, value)
        for name, value in request.form.items(multi=True)
        if value.strip() and not _secret(name)
    )
    if not fields or sum(len(value) for _, value in fields) > LONGEST:
        return None
    return Kept(request.path, fields)


def carried() -> Kept | None:
    """What the sign-in form of this request carries, or None."""
    return opened(request.form)


def opened(form: MultiDict[str, str]) -> Kept | None:
    sealed = form.get(FIELD, "")
    if not sealed:
        return None
    try:
        to, fields = sessions.signer(FIELD).loads(sealed, max_age=GOOD_FOR)
    except BadSignature:
        return None
    return Kept(to, tuple((name, value) for name, value in fields))


def page(kept: Kept) -> str:
    """What was written, to be sent now or left."""
    return render_template("kept.html", kept=kept)


def _secret(name: str) -> bool:
    return any(name == secret or name.startswith(f"{secret}_") for secret in SECRET)
