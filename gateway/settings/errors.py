"""How a refusal is told."""


class SettingsError(Exception):
    """A setting is missing or wrong. The text is one line that says what to do."""
