"""Farmers, kiosks and officers: who they are, what they agreed to, how they prove it."""


class PeopleError(ValueError):
    """Somebody cannot be added or found; the text is one line that says why."""
