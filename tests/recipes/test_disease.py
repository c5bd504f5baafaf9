"""The recipe of docs/adding-a-disease.md, followed in a copy: a sixth disease, on a new crop."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest

from gateway import agronomy
from gateway.settings import ROOT
from rig import newer_model
from rig.copy import Copy

CROP, LABEL = "sorghum", "sorghum_smut"
NAMES = {"en": "sorghum", "fr": "sorgho", "rw": "amasaka", "sw": "mtama"}
TABLE = "gateway/agronomy/table.py"
PIECES = (
    (TABLE, '    Crop("other",   4, judged=False),\n',
     '    Crop("sorghum", 5, ("sorgho", "amasaka", "mtama")),\n'),
    (TABLE, 'Disease("maize_rust",     "maize",   1,      5, urgent=("before_flowering",)),\n',
     '    Disease("sorghum_smut",   "sorghum", 1,      8, urgent=("flowering",)),\n'),
)  # fmt: skip
LIVE = """
import io
from gateway.app import create_app
from gateway.cli import main
from gateway.dialogue.ussd import screens
from gateway.jobs import photos, worker
from gateway.people import kiosks, officers
from gateway.settings import Settings
from gateway.store.models import Message, Photo
from rig.newer_model import purple_leaf
from inference.drawn import draw_leaf
from sqlalchemy import select

for words in (["messages", "check"], ["ussd", "check"], ["doctor", "model", "texts"]):
    main(words, standalone_mode=False)  # one process for all: each takes long to start
app = create_app(Settings.read())
context = app.extensions["leafline"]
context.store.migrate()
worker.sit_down(context)
with context.store.transaction() as session:
    keeper, token = kiosks.add(session, "K", "Rwamagana/Muhazi")
    officers.add(session, "+250788000099", "Keza", "Rwamagana", ["rw"])
client = app.test_client()
told = [
    {"phone": "+250788000001", "crop": "Mtama", "language": "sw"},
    {"phone": "+250788000002", "crop": "sorghum", "language": "en", "stage": "flowering"},
    {"phone": "+250788000003", "crop": "maize", "language": "en"},
]
for number, fields in enumerate(told):
    data = fields | {"photo": (io.BytesIO(purple_leaf(number)), "leaf.jpg")}
    sent = client.post("/api/photos", data=data, headers={"Authorization": f"Bearer {token}"})
    assert sent.status_code == 202, sent.text
leaf = {"phone": "+250788000004", "crop": "maize", "language": "en",
        "photo": (io.BytesIO(draw_leaf("maize_blight", 1)), "leaf.jpg")}
assert client.post("/api/photos", data=leaf,
                   headers={"Authorization": f"Bearer {token}"}).status_code == 202
with context.store.reading() as session:
    waiting = session.scalars(select(Photo.id).order_by(Photo.id)).all()
for photo in waiting:
    photos.diagnose(photo)
with context.store.reading() as session:
    for message in session.scalars(select(Message).order_by(Message.id)):
        print(message.address, message.template, "|", message.text)
menu = screens.menu(context.catalogue)
for name in ("advice_crop", "advice_sorghum", "report_crop", "desk_answer"):
    print(name, [(option.number, option.label) for option in menu.screens[name].options])
print(client.get("/api/openapi.json").json["components"]["schemas"]["Case"]["properties"]["label"])
"""


def add_rows(copy: Copy) -> None:
    for path, before, row in PIECES:
        copy.change(path, before, before + row)


def add_texts(copy: Copy, languages: tuple[str, ...] = tuple(NAMES)) -> None:
    """What the row says it needs, in words of the test's own."""
    wanted = [prefix + CROP for prefix in agronomy.CROP_TEXTS]
    wanted += [prefix + LABEL for prefix in agronomy.ADVISED_TEXTS]
    for language in languages:
        path = copy.folder / "templates/messages" / f"{language}.po"
        po = polib.pofile(str(path), wrapwidth=100)
        for key in wanted:
            po.append(polib.POEntry(msgid=key, msgstr=_words(key, language), flags=["fuzzy"]))
        po.save()
        path = copy.folder / "templates/pages/po" / language / "operator.po"
        po = polib.pofile(str(path), wrapwidth=100)
        for key in (prefix + LABEL for prefix in agronomy.PAGE_TEXTS):
            po.append(polib.POEntry(msgid=key, msgstr=NAMES[language], flags=["fuzzy"]))
        po.save()


def _words(key: str, language: str) -> str:
    if key.startswith("disease_"):
        return "smut"
    if key.startswith("crop_"):
        return NAMES[language]
    words = f"{NAMES[language]} smut"
    return f"{words}: {{ussd}} {{case}}" if key.startswith("diag_") else words


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_sixth_disease_on_a_new_crop_is_a_row_texts_and_a_model(copy: Copy) -> None:
    add_rows(copy)
    add_texts(copy)
    newer_model.write(copy.folder / "inference/model", LABEL)
    said = copy.python(LIVE)
    assert f"+250788000001 diag_{LABEL} | mtama smut:" in said, said
    assert "+250788000002 escalation_farmer |" in said  # urgent at flowering, as its row says
    assert "+250788000003 escalation_farmer |" in said  # on maize it is not believed
    assert "+250788000004 diag_maize_blight |" in said  # the others are judged as before
    screens = dict(re.findall(r"^(\w+) (\[.*)$", said, re.MULTILINE))
    assert screens["advice_crop"].endswith("('3', 'crop_cassava'), ('5', 'crop_sorghum')]")
    assert screens["advice_sorghum"] == "[('1', 'disease_sorghum_smut')]"
    assert "('4', 'crop_other'), ('5', 'crop_sorghum')" in screens["report_crop"]
    answers = "('6', 'option_note_visit'), ('7', 'option_note_call'), ('8', 'option_note_"
    assert answers in screens["desk_answer"]
    assert f"'{LABEL}'" in said.splitlines()[-1]


def test_what_a_new_row_lacks_is_named_in_one_line(copy: Copy) -> None:
    add_rows(copy)
    newer_model.write(copy.folder / "inference/model", LABEL)
    said = copy.refused("messages", "check").splitlines()
    wanted = [prefix + LABEL for prefix in (*agronomy.ADVISED_TEXTS, *agronomy.PAGE_TEXTS)]
    assert sum(all(key in line for key in wanted) for line in said) == 1, said
    assert sum(f"crop_{CROP}" in line for line in said) == 1, said
    assert f"ussd_about_{LABEL}" in copy.refused("scheduler")
    add_texts(copy, ("en", "fr", "sw"))
    named = [line for line in copy.command("messages", "check").splitlines() if LABEL in line]
    assert len(named) == 1, named
    assert "said in English" in named[0]
    assert all(key in named[0] for key in wanted)


@pytest.mark.parametrize("command", ["up", "web", "scheduler"])
def test_rows_that_are_not_the_models_are_refused_in_one_line(copy: Copy, command: str) -> None:
    newer_model.write(copy.folder / "inference/model", LABEL)
    said = copy.refused(command).strip()
    assert f"the model knows {LABEL}, of which gateway/agronomy/table.py has no row" in said
    assert "\n" not in said


def test_a_row_that_the_model_does_not_know_is_refused_in_one_line(copy: Copy) -> None:
    add_rows(copy)
    add_texts(copy)
    said = copy.refused("scheduler").strip()
    assert f"has a row of {LABEL}, unknown to the model" in said
    assert "\n" not in said


def test_the_recipe_names_every_file() -> None:
    recipe = (ROOT / "docs/adding-a-disease.md").read_text("utf-8")
    for path in (TABLE, "templates/messages/", "templates/pages/po/", "inference/model/",
                 "inference/labels.py", *agronomy.ADVISED_TEXTS, *agronomy.REFUSED_TEXTS,
                 *agronomy.CROP_TEXTS, *agronomy.PAGE_TEXTS):  # fmt: skip
        assert path in recipe
