"""The recipe of docs/adding-a-rule.md, followed in a copy: one rule of either kind."""

from __future__ import annotations

from pathlib import Path

from rig.copy import Copy

DECIDE = """
from gateway.cases.triage import Facts, Finding, triage

sure = Finding("advice", "maize_rust", 0.97)
print(triage(sure, Facts("maize", 1, stage="young")).reason)
print(triage(sure, Facts("maize", 1, stage="filling")).reason)
"""
ROUTE = """
from gateway.cases import routing
from gateway.context import Context
from gateway.people import officers
from gateway.settings import Settings

context = Context.open(Settings.read())
context.store.migrate()
with context.store.transaction() as session:
    for number, name in ((1, "Keza"), (2, "Ineza")):
        officers.add(session, f"+25078800009{number}", name, "Rwamagana", ["rw"])
with context.store.reading() as session:
    print(routing.choose(session, "Rwamagana", "rw").name)
"""


def test_a_rule_is_a_line(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    assert copy.python(DECIDE).split() == ["confident", "confident"]
    assert copy.python(ROUTE).split() == ["Keza"]  # the longest in service
    copy.change(
        "gateway/cases/triage.py",
        "    first = facts.photos_judged <= 1\n",
        "    first = facts.photos_judged <= 1\n"
        '    if facts.stage == "young":\n'
        '        return _escalate("too_young")\n',
    )
    copy.change(
        "gateway/cases/routing.py",
        "            row.load,\n",
        "            row.id != 2,\n            row.load,\n",
    )
    (copy.folder / "var" / "leafline.sqlite3").unlink()
    assert copy.python(DECIDE).split() == ["too_young", "confident"]
    assert copy.python(ROUTE).split() == ["Ineza"]
