"""Backups: a copy of store and photos somewhere else, its proof, and the way back."""


class BackupError(Exception):
    """A backup cannot be made, read or restored. The text is one line that says what to do."""
