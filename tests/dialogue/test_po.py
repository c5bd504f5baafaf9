"""Reading PO files: what is refused, and what is as if it were not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.dialogue import po

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def written(folder: Path, *entries: str) -> Path:
    path = folder / "en.po"
    path.write_text(HEAD + "\n\n".join(entries) + "\n")
    return path


def test_a_key_that_is_there_twice_is_named(tmp_path: Path) -> None:
    path = written(
        tmp_path, *(f'msgid "{key}"\nmsgstr "x"' for key in ("one", "two", "three", "two"))
    )
    with pytest.raises(ValueError, match='"two" already exists'):
        po.read(path)


def test_also_where_one_of_them_says_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, 'msgid "one"\nmsgstr ""', 'msgid "one"\nmsgstr "x"')
    with pytest.raises(ValueError, match='"one" already exists'):
        po.read(path)


def test_what_is_obsolete_is_not_there(tmp_path: Path) -> None:
    path = written(tmp_path, '#~ msgid "one"\n#~ msgstr "old"', 'msgid "one"\nmsgstr "new"')
    assert po.read(path).texts == {"one": "new"}
