"""The recipe of docs/adding-a-language.md, followed in a copy: the checks that it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import polib

from rig.copy import Copy

OURS = {"crop_maize": "umbona", "keyword_stop": "yima"}
SPOKEN = """
from gateway.context import Context
from gateway.settings import Settings

context = Context.open(Settings.read())
print(sorted(context.catalogue.languages))
"""


def test_a_fifth_language_is_files(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    folder = copy.folder / "templates/messages"
    words = polib.pofile(str(folder / "en.po"))
    words.metadata["X-Language-Name"] = "isiXhosa"
    words.metadata["X-Menu-Number"] = "5"
    for entry in words:
        entry.msgstr = {"crop_maize": "umbona", "keyword_stop": "yima"}.get(
            entry.msgid, entry.msgstr
        )
    words.save(str(folder / "xh.po"))
    pages = copy.folder / "templates/pages/po"
    (pages / "xh").mkdir()
    shutil.copy(pages / "en" / "base.po", pages / "xh" / "base.po")
    assert "xh" in copy.command("messages", "check")
    copy.command("ussd", "check")
    assert "'xh'" in copy.python(SPOKEN)
    said = copy.command("officer", "add", "+250788000099", "--name", "N", "--area", "Huye",
                        "--language", "xh")  # fmt: skip
    assert said.splitlines()[-1] == "1"
