"""Reading PO files as this house writes them: one language, the msgid a key, braces to fill."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polib

FALLBACK = "en"
"""Complete; a text that another language lacks is said in it."""
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Read:
    """One file; an entry that is obsolete or has no text is as if it were not there."""

    texts: dict[str, str]
    fuzzy: frozenset[str]
    """Keys of texts that nobody has reviewed."""
    metadata: Mapping[str, str]


def read(path: Path) -> Read:
    """Raises: OSError, ValueError: it cannot be read, is no PO file, or has a key twice."""
    po = polib.pofile(str(path))
    entries = [entry for entry in po if not entry.obsolete]
    # The library's own check compares each entry with all before it, at every start.
    times = Counter(entry.msgid for entry in entries)
    if twice := [key for key, number in times.items() if number > 1]:
        raise ValueError(f'Entry "{twice[0]}" already exists')
    entries = [entry for entry in entries if entry.msgstr]
    return Read(
        texts={entry.msgid: entry.msgstr for entry in entries},
        fuzzy=frozenset(entry.msgid for entry in entries if entry.fuzzy),
        metadata=po.metadata,
    )


def holes(text: str) -> set[str]:
    """What stands between the braces of a text."""
    return set(PLACEHOLDER.findall(text))
