"""The recipe in docs/adding-a-language.md, followed: files alone make a language."""

from __future__ import annotations

import shutil
from pathlib import Path

import polib
import pytest

from gateway.app import create_app
from gateway.settings import ROOT, Settings


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """The texts of this house, and beginnings of a language `xh` that it has not."""
    folder = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", folder)
    po = polib.pofile(str(folder / "messages" / "en.po"))
    po.metadata["X-Language-Name"] = "isiXhosa"
    po.metadata["X-Menu-Number"] = str(len(list((folder / "messages").glob("*.po"))) + 1)
    for entry in po:
        entry.msgstr = "umbona" if entry.msgid == "crop_maize" else ""
    po.save(str(folder / "messages" / "xh.po"))
    (folder / "pages" / "po" / "xh").mkdir()
    page = polib.pofile(str(folder / "pages" / "po" / "en" / "kiosk.po"))
    for entry in page:
        entry.msgstr = "Iselula" if entry.msgid == "kiosk_pair_title" else ""
    page.save(str(folder / "pages" / "po" / "xh" / "kiosk.po"))
    return folder


def test_files_make_a_language(settings: Settings, templates: Path) -> None:
    app = create_app(settings.model_copy(update={"templates": templates}))
    page = app.test_client().get("/kiosk/pair?lang=xh").text
    assert '<html lang="xh">' in page
    assert "<h1>Iselula</h1>" in page
    assert ">isiXhosa</a>" in page
    assert "It works once." in page  # what is not translated yet
    context = app.extensions["leafline"]
    assert context.catalogue.text("crop_maize", "xh") == "umbona"
    context.close()


@pytest.mark.parametrize("area", ["base", "kiosk"])
def test_the_languages_of_this_house_are_whole(area: str) -> None:
    def keys(language: str) -> set[str]:
        po = polib.pofile(str(ROOT / "templates" / "pages" / "po" / language / f"{area}.po"))
        return {entry.msgid for entry in po if entry.msgstr}

    for language in ("sw", "rw", "fr"):
        assert keys("en") - keys(language) == set()
