"""What officers teach: kept, exported as training reads it, and counted."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sqlalchemy import select

from gateway.cli import main
from gateway.context import Context
from gateway.people import farmers
from gateway.privacy import consent, retention
from gateway.store.base import now
from gateway.store.models import Case, Label, Officer
from gateway.teaching import disagreement, label_export, labels
from inference.likeness import NEAR, perceptual_hashes
from rig import desk

MANIFEST = (
    "path,class,pool,source_repo,source_path,original_dataset,licence,original_leaf_id,"
    "sha256,phash,split_group"
)


@pytest.fixture
def house(any_context: Context) -> Context:
    return any_context


@pytest.fixture
def officer(house: Context) -> desk.Officer:
    return desk.officer(house)


def _say(context: Context, officer: desk.Officer, code: str, label: str) -> None:
    with context.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        labels.record(session, session.get_one(Officer, officer.id), case, label)


def _labelled(
    context: Context, officer: desk.Officer, phone: str, label: str, picture: bytes, **case: str
) -> str:
    code = desk.case(context, phone, picture=picture, training=True, **case)  # type: ignore[arg-type]
    _say(context, officer, code, label)
    return code


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _re_encoded(picture: bytes, turn: int = 0) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).rotate(turn, expand=True).save(out, "JPEG", quality=70)
    return out.getvalue()


@pytest.mark.parametrize(
    ("verdict", "label", "expected"),
    [
        ("advice", "maize_rust", "maize_rust"),
        ("second_photo", "maize_rust", "maize_rust"),
        ("unknown", "maize_rust", "none"),
        ("no_leaf", "maize_rust", "none"),
        ("unreadable", None, None),
        (None, None, None),
    ],
)
def test_what_the_machine_said(
    verdict: str | None, label: str | None, expected: str | None
) -> None:
    assert labels.machine_word(verdict, label) == expected


def test_the_folder_is_what_training_reads(
    house: Context, officer: desk.Officer, tmp_path: Path
) -> None:
    picture = desk.leaf("maize_rust", 1)
    _labelled(house, officer, "+250788100001", "maize_rust", picture)
    _labelled(house, officer, "+250788100002", "none", desk.leaf("bean_spot", 1))
    folder = tmp_path / "labels"
    exported = label_export.export(house.store, house.photos, folder)
    assert exported == label_export.Exported(2, label_export.Counter())
    assert (folder / "manifest.csv").read_text().splitlines()[0] == MANIFEST
    rust, none = sorted(_rows(folder), key=lambda row: row["pool"])
    assert (rust["pool"], rust["class"]) == ("field", "maize_rust")
    assert (none["pool"], none["class"]) == ("other", "officer_none")
    assert (folder / rust["path"]).read_bytes() == picture
    assert rust["phash"] == perceptual_hashes(picture)[0].tobytes().hex()
    assert folder.stat().st_mode & 0o077 == 0
    everything = (folder / "manifest.csv").read_text()
    for secret in ("788100", "Kanyangese", "Rwamagana"):
        assert secret not in everything


def test_training_itself_takes_the_folder(
    house: Context, officer: desk.Officer, tmp_path: Path
) -> None:
    data = pytest.importorskip("training.data")
    leaks = pytest.importorskip("training.leaks")
    for i in range(12):
        label = ("maize_rust", "maize_blight", "none")[i % 3]
        source = {"none": "bean_spot"}.get(label, label)
        _labelled(house, officer, f"+25078810{i // 2:04}", label, desk.leaf(source, i))
    folder = tmp_path / "labels"
    label_export.export(house.store, house.photos, folder)
    photos = data.split(data.read_manifest(folder), folder)
    assert len(photos) == 12
    hashes = np.stack([leaks.perceptual_hashes(photo.path) for photo in photos])
    assert leaks.find_leaks(photos, hashes) == []


def test_without_a_separate_yes_nothing_leaves(
    house: Context, officer: desk.Officer, tmp_path: Path
) -> None:
    never = desk.case(house, "+250788100001", picture=desk.leaf(seed=1))
    _say(house, officer, never, "maize_rust")
    _labelled(house, officer, "+250788100002", "maize_rust", desk.leaf(seed=2))
    with house.store.transaction() as session:
        farmer = farmers.find_or_create(session, "+250788100002")
        consent.withdraw(session, farmer, by="ussd")
    exported = label_export.export(house.store, house.photos, tmp_path / "labels")
    assert exported.photos == 0
    assert exported.left_out == {"the farmer did not agree to training": 2}
    assert list((tmp_path / "labels").iterdir()) == [tmp_path / "labels" / "manifest.csv"]


def test_farmer_and_plot_make_the_group(
    house: Context, officer: desk.Officer, tmp_path: Path
) -> None:
    for seed, (phone, place) in enumerate(
        [
            ("+250788100001", "Kanyangese"),
            ("+250788100001", "kanyangese "),
            ("+250788100001", "Ruhimbi"),
            ("+250788100002", "Kanyangese"),
        ]
    ):
        _labelled(house, officer, phone, "maize_rust", desk.leaf(seed=seed), place=place)
    label_export.export(house.store, house.photos, tmp_path / "labels")
    groups = [row["split_group"] for row in reversed(_rows(tmp_path / "labels"))]
    assert groups[0] == groups[1]
    assert len(set(groups)) == 3
    assert all(group.startswith("maize_rust_") for group in groups)


def test_what_is_forgotten_of_the_farmer_still_teaches(
    house: Context, officer: desk.Officer, tmp_path: Path
) -> None:
    for seed, phone in enumerate(("+250788100001", "+250788100001", "+250788100002")):
        _labelled(house, officer, phone, "maize_rust", desk.leaf(seed=seed))
    label_export.export(house.store, house.photos, tmp_path / "before")
    with house.store.transaction() as session:
        for row in session.scalars(select(Label)):
            row.words = "her own words"
        assert retention.forget_cases(session, now() + timedelta(days=1)) == (3, set())
    label_export.export(house.store, house.photos, tmp_path / "after")
    assert _rows(tmp_path / "after") == _rows(tmp_path / "before")
    with house.store.reading() as session:
        assert set(session.scalars(select(Label.words))) == {None}


def test_photos_that_look_the_same_share_a_group_or_the_newer_label_wins(
    house: Context, officer: desk.Officer, tmp_path: Path
) -> None:
    first, second = desk.leaf(seed=1), desk.leaf("maize_blight", 2)
    _labelled(house, officer, "+250788100001", "maize_rust", first)
    _labelled(house, officer, "+250788100002", "maize_rust", _re_encoded(first, 90))
    _labelled(house, officer, "+250788100003", "maize_rust", second)
    _labelled(house, officer, "+250788100004", "maize_blight", _re_encoded(second))
    exported = label_export.export(house.store, house.photos, tmp_path / "labels")
    assert exported.left_out == {"the same picture has a newer, other label": 1}
    rows = _rows(tmp_path / "labels")
    assert sorted(row["class"] for row in rows) == ["maize_blight", "maize_rust", "maize_rust"]
    assert len({row["split_group"] for row in rows if row["class"] == "maize_rust"}) == 1
    assert len(list((tmp_path / "labels").rglob("*.jpg"))) == 3


def test_of_two_officers_the_later_counts(
    house: Context, officer: desk.Officer, tmp_path: Path
) -> None:
    code = _labelled(house, officer, "+250788100001", "maize_rust", desk.leaf(seed=1))
    colleague = desk.officer(house, desk.COLLEAGUE, "Uwase")
    with house.store.transaction() as session:
        for row in session.scalars(select(Label)):
            row.updated_at = now() - timedelta(hours=1)
    _say(house, colleague, code, "maize_blight")
    label_export.export(house.store, house.photos, tmp_path / "labels")
    assert [row["class"] for row in _rows(tmp_path / "labels")] == ["maize_blight"]
    with house.store.reading() as session:
        assert disagreement.said(session) == [("maize_rust", "maize_blight")]


def test_a_photo_without_a_leaf_teaches_no_disease(
    house: Context, officer: desk.Officer, tmp_path: Path
) -> None:
    _labelled(house, officer, "+250788100001", "maize_rust", desk.leaf(seed=1), verdict="no_leaf")
    exported = label_export.export(house.store, house.photos, tmp_path / "labels")
    assert exported.left_out == {"the photo shows no leaf": 1}


def test_a_lost_photo_stops_nothing(house: Context, officer: desk.Officer, tmp_path: Path) -> None:
    _labelled(house, officer, "+250788100001", "maize_rust", desk.leaf(seed=1))
    _labelled(house, officer, "+250788100002", "maize_rust", desk.leaf(seed=2))
    house.photos.delete(house.store.vault.digest(desk.leaf(seed=1)))
    exported = label_export.export(house.store, house.photos, tmp_path / "labels")
    assert exported.photos == 1
    assert exported.left_out == {"the photo cannot be read": 1}


def test_only_a_new_folder_is_written(house: Context, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(label_export.ExportError, match="not empty"):
        label_export.export(house.store, house.photos, tmp_path)
    with pytest.raises(label_export.ExportError, match="cannot be written"):
        label_export.export(house.store, house.photos, tmp_path / "mine.txt" / "x")


def test_with_the_farmer_her_labels_go(house: Context, officer: desk.Officer) -> None:
    from gateway.privacy import erasure

    _labelled(house, officer, "+250788100001", "maize_rust", desk.leaf(seed=1))
    erasure.erase(house.store, house.photos, "+250788100001", by="test")
    with house.store.reading() as session:
        assert session.scalars(select(Label)).all() == []


def test_the_report_counts_cases_by_what_the_machine_said() -> None:
    pairs = [
        ("maize_rust", "maize_rust"),
        ("maize_rust", "maize_rust"),
        ("maize_rust", "maize_blight"),
        ("maize_rust", "none"),
        ("none", "none"),
        (None, "bean_spot"),
    ]
    assert list(disagreement.report(disagreement.by_class(pairs))) == [
        "machine said      cases  agreed  share  officers said instead",
        "maize_rust            4       2    50%  maize_blight 1, none 1",
        "none                  1       1   100%",
        "nothing               1       0     0%  bean_spot 1",
        "officers disagreed on 2 of 5 cases (40.0%)",
    ]
    assert list(disagreement.report([])) == ["no officer has labelled a case yet"]


@pytest.mark.parametrize("seed", range(3))
def test_a_turned_copy_is_near_and_another_leaf_is_not(seed: int) -> None:
    picture = desk.leaf("maize_blight", seed)
    upright = perceptual_hashes(picture)[0]

    def bits(other: bytes) -> int:
        return int(np.bitwise_count(perceptual_hashes(other) ^ upright).min())

    assert bits(_re_encoded(picture, 180)) <= NEAR
    assert bits(desk.leaf("maize_blight", seed + 10)) > NEAR


def test_the_command_writes_and_reports(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFLINE_HOME", str(context.settings.home))
    monkeypatch.setenv("LEAFLINE_SECRET_KEY", context.settings.encryption_key)
    monkeypatch.setenv("DATABASE_URL", context.settings.database_url)
    officer = desk.officer(context)
    _labelled(context, officer, "+250788100001", "maize_blight", desk.leaf(seed=1))
    arguments = ["export", "--labels", str(tmp_path / "labels")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "officers disagreed on 1 of 1 cases (100.0%)" in result.output
    assert result.output.splitlines()[-1] == f"1 photos written to {tmp_path / 'labels'}"
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 1
    assert again.output == f"Error: {tmp_path / 'labels'} is not empty; name a new folder\n"
