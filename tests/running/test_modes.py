"""The home is for the account that Leafline runs as, also one that an older release made."""

from __future__ import annotations

from pathlib import Path

from gateway.running import modes
from gateway.running.doctor import examine
from gateway.settings import Settings


def an_old_home(tmp_path: Path) -> Path:
    home = tmp_path / "old"
    for name in ("photos/ab/abcd", "redis/appendonlydir/1.aof", "spool/waiting/1", "secret-key"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    for name in ("leafline.sqlite3", "leafline.sqlite3-wal", "notes of the operator"):
        (home / name).write_text("x")
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return home


def test_what_others_may_look_into_is_closed_and_what_is_not_ours_left(tmp_path: Path) -> None:
    home = an_old_home(tmp_path)
    assert len(modes.open_to_others(home)) == 13
    modes.close(home)
    assert modes.open_to_others(home) == []
    left = {path.name for path in home.rglob("*") if path.stat().st_mode & 0o077}
    assert left == {"notes of the operator"}
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "photos/ab/abcd").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_everybodys_stays_so(tmp_path: Path) -> None:
    home = an_old_home(tmp_path)
    home.chmod(0o1777)
    modes.close(home)
    assert home.stat().st_mode & 0o7777 == 0o1777


def test_doctor_names_what_is_open(tmp_path: Path, settings: Settings) -> None:
    home = an_old_home(tmp_path)
    (finding,) = examine(settings.model_copy(update={"home": home}), ["modes"])
    assert (finding.state, str(home) in finding.text) == ("fail", True)
    modes.close(home)
    (finding,) = examine(settings.model_copy(update={"home": home}), ["modes"])
    assert finding.state == "ok"


def test_a_home_that_is_not_there_yet_is_closed(tmp_path: Path) -> None:
    modes.close(tmp_path / "none")
    assert modes.open_to_others(tmp_path / "none") == []
