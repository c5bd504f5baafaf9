"""What a person is given when she asks what we hold of her."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway import outbox
from gateway.cases import intake
from gateway.commands.cases import export
from gateway.context import Context
from gateway.people import farmers
from gateway.privacy import person
from gateway.settings import Settings
from rig import things
from rig.things import FARMER, OFFICER

OTHER = "+250788000002"


def fill(context: Context) -> None:
    keeper, _ = things.kiosk(context.store)
    officer = things.officer(context.store)
    for shade, phone in ((70, FARMER), (80, OTHER)):
        things.farmer(context.store, phone)
        upload = intake.Upload(
            things.photo(shade), f"kiosk:{keeper.id}", phone, kiosk_id=keeper.id,
            place="Kagano", answers={"plants": "few"},
        )  # fmt: skip
        intake.accept(context.store, context.photos, upload)
        with context.store.transaction() as session:
            outbox.post(session, key=phone, to=phone, text=f"of {phone}", kind="answer")
    with context.store.transaction() as session:
        her = farmers.find(session, FARMER)
        assert her is not None
        outbox.post(
            session, key="o", to=OFFICER, text=f"case of {FARMER}", kind="escalation",
            officer_id=officer.id, farmer_id=her.id,
        )  # fmt: skip


def test_all_that_is_hers_and_nothing_of_others(any_context: Context, tmp_path: Path) -> None:
    fill(any_context)
    folder = tmp_path / "hers"
    written = person.export(any_context.store, any_context.photos, FARMER, folder)
    assert written == person.Written(1, 1, 1)
    text = (folder / person.FILE).read_text()
    held = json.loads(text)
    assert OTHER not in text
    assert f"case of {FARMER}" not in text
    assert held["phone number"] == FARMER
    assert held["person"]["agreement taken by"] == "kiosk:1"
    (case,) = held["cases"]
    assert (case["place"], case["what was told"]) == ("Kagano", {"plants": "few"})
    assert (folder / case["photos"][0]["file"]).read_bytes().startswith(b"\xff\xd8")
    assert [m["text"] for m in held["messages"]] == [f"of {FARMER}"]
    assert {"consent", "language"} <= {event["what"] for event in held["history"]}
    assert folder.stat().st_mode & 0o077 == 0


def test_an_officer_is_given_what_is_theirs_and_no_farmers_texts(
    any_context: Context, tmp_path: Path
) -> None:
    fill(any_context)
    assert person.export(any_context.store, any_context.photos, OFFICER, tmp_path / "o")
    text = (tmp_path / "o" / person.FILE).read_text()
    assert "Keza" in text
    assert FARMER not in text


def test_a_folder_that_is_there_is_not_written_over(any_context: Context, tmp_path: Path) -> None:
    fill(any_context)
    with pytest.raises(person.PersonError, match="there already"):
        person.export(any_context.store, any_context.photos, FARMER, tmp_path)
    assert list(tmp_path.glob("*.json")) == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--person", "0788 000 001", "--to", "{}/hers"], 0, "1 cases, 1 photos, 1 messages"),
        (["--person", "+250788000077", "--to", "{}/hers"], 1, "nothing is known"),
        (["--person", "0788000001"], 2, "--to FOLDER"),
        (["--to", "{}/hers"], 2, "--labels FOLDER, or --person"),
    ],
)
def test_the_command(
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: list[str],
    code: int,
    says: str,
) -> None:
    fill(context)
    for name in ("home", "database_url", "redis_url"):
        monkeypatch.setenv(Settings.variable(name), str(getattr(context.settings, name)))
    monkeypatch.setenv("LEAFLINE_SECRET_KEY", context.settings.encryption_key)
    done = CliRunner().invoke(export, [word.format(tmp_path) for word in words])
    assert (done.exit_code, says in done.output) == (code, True), done.output
