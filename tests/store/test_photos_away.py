"""A photo store that is away: told from a photo that is missing, and waited for only so long."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from flask.testing import FlaskClient
from fsspec.implementations.memory import MemoryFileSystem
from rq.timeouts import JobTimeoutException
from sqlalchemy import select

from gateway.cases import intake
from gateway.context import Context
from gateway.jobs import photos as job
from gateway.jobs import worker
from gateway.store import away
from gateway.store import photos as store_of_photos
from gateway.store.models import Case, Photo
from gateway.store.photos import (
    Bucket,
    Folder,
    PhotoMissing,
    PhotosAway,
    PhotoStore,
    PhotoStoreError,
    open_photos,
)
from gateway.store.vault import Vault
from rig.things import FARMER, kiosk, photo

VAULT = Vault("k" * 40)


class Far(MemoryFileSystem):  # type: ignore[misc]
    """An object store behind a network that fails as it is told."""

    protocol = "far"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    trouble: BaseException | None = None
    goes_on: threading.Event | None = None
    asked = 0

    def _meet(self) -> None:
        type(self).asked += 1
        if self.goes_on is not None:
            self.goes_on.wait()
        if self.trouble is not None:
            raise self.trouble

    def cat_file(self, *words: Any, **named: Any) -> bytes:
        self._meet()
        return bytes(super().cat_file(*words, **named))

    def pipe_file(self, *words: Any, **named: Any) -> None:
        self._meet()
        super().pipe_file(*words, **named)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    fsspec.register_implementation("far", Far, clobber=True)
    bucket = open_photos("far://bucket/photos", Path("."), VAULT)
    assert isinstance(bucket, Bucket)
    monkeypatch.setattr(Far, "store", {})
    monkeypatch.setattr(Far, "pseudo_dirs", [""])
    monkeypatch.setattr(Far, "asked", 0)
    monkeypatch.setattr(store_of_photos, "SECONDS", 0.2)
    yield bucket
    if Far.goes_on is not None:
        Far.goes_on.set()


TROUBLES = [
    PermissionError("Access Denied"),
    ConnectionRefusedError("refused"),
    RuntimeError("a driver's own kind of error"),
    TimeoutError("from within"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda error: type(error).__name__)
def test_whatever_goes_wrong_there_is_away(
    far: Bucket, trouble: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = far.put(b"a leaf")
    monkeypatch.setattr(Far, "trouble", trouble)
    for ask in (lambda: far.get(address), lambda: far.put(b"another"), far.mark):
        with pytest.raises(PhotosAway) as raised:
            ask()
        assert away(raised.value)
    monkeypatch.undo()


def test_one_that_hangs_is_asked_by_nobody_for_a_moment(
    far: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = far.put(b"a leaf")
    monkeypatch.setattr(Far, "goes_on", threading.Event())
    before = Far.asked
    with pytest.raises(PhotosAway, match="did not answer in"):
        far.get(address)
    for _ in range(30):
        with pytest.raises(PhotosAway):
            far.get(address)
    assert Far.asked - before <= 2  # a slow machine may take the moment that nobody asks


def test_those_that_hang_hold_no_more_than_their_share(
    far: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = far.put(b"a leaf")
    monkeypatch.setattr(Far, "goes_on", threading.Event())
    monkeypatch.setattr(far._rest, "over", lambda: True)
    monkeypatch.setattr(store_of_photos, "SECONDS", 0.01)
    before = Far.asked
    for _ in range(3 * store_of_photos.AT_ONCE):
        with pytest.raises(PhotosAway):
            far.get(address)
    assert Far.asked - before == store_of_photos.AT_ONCE


def test_a_store_where_nothing_is_left_has_no_photo_to_miss(far: Bucket) -> None:
    address = far.put(b"a leaf")
    far.put(b"another leaf")
    far.delete(address)
    with pytest.raises(PhotoMissing):
        far.get(address)
    Far.store.clear()
    Far.pseudo_dirs[:] = [""]
    with pytest.raises(PhotosAway):
        far.get(address)


def test_a_disk_that_is_not_mounted_has_no_photo_to_miss(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "photos", VAULT)
    address = folder.put(b"a leaf")
    folder.delete(address)
    with pytest.raises(PhotoMissing):
        folder.get(address)
    shutil.rmtree(tmp_path / "photos")
    with pytest.raises(PhotosAway):
        folder.get(address)
    (tmp_path / "photos").mkdir()
    with pytest.raises(PhotosAway, match="mounted"):
        folder.get(address)


def test_a_bucket_that_is_not_there_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Buckets(Far):
        """As S3: an object needs no folder, and its bucket must be there."""

        protocol = "buckets"

        def pipe_file(self, *words: Any, **named: Any) -> None:
            raise FileNotFoundError("The specified bucket does not exist")

        def mkdir(self, path: str, create_parents: bool = True, **named: Any) -> None:
            if create_parents:
                made.append(path)

        def makedirs(self, path: str, exist_ok: bool = False) -> None:
            made.append(path)

    fsspec.register_implementation("buckets", Buckets, clobber=True)
    bucket = open_photos("buckets://mistyped", Path("."), VAULT)
    with pytest.raises(PhotoStoreError, match=r"there is no \S*mistyped in the photo"):
        bucket.put(b"a leaf")
    assert made == []


class Broken:
    """A photo store of which every question ends in the same way."""

    def __init__(self, inner: PhotoStore, error: BaseException) -> None:
        self._inner, self._error = inner, error

    def put(self, data: bytes) -> str:
        raise self._error

    def get(self, address: str) -> bytes:
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize(
    "error", [PhotosAway("gone"), JobTimeoutException("10 seconds")], ids=["away", "time-out"]
)
def test_no_time_out_and_no_absence_is_an_attempt(
    context: Context, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, _ = kiosk(context.store)
    upload = intake.Upload(photo(), f"kiosk:{keeper.id}", FARMER, crop="maize", kiosk_id=keeper.id)
    photo_id = intake.accept(context.store, context.photos, upload).photo_id
    monkeypatch.setattr(worker, "_context", None)
    worker.sit_down(replace(context, photos=Broken(context.photos, error)))
    job.diagnose(photo_id)  # a job that raises is one that failed, and counts
    with context.store.reading() as session:
        row = session.get_one(Photo, photo_id)
        assert (row.attempts, row.diagnosed_at) == (0, None)
        assert session.scalars(select(Case.state)).one() == "received"


def test_an_upload_is_asked_to_come_again(
    client: FlaskClient, far: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    context: Context = client.application.extensions["leafline"]
    _, token = kiosk(context.store)
    object.__setattr__(context, "photos", far)
    monkeypatch.setattr(Far, "trouble", PermissionError("Access Denied"))
    form = {"photo": (io.BytesIO(photo()), "a.jpg"), "phone": "0788000001", "crop": "maize"}
    answer = client.post("/api/photos", data=form, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    with context.store.reading() as session:
        assert session.scalars(select(Case.id)).all() == []
