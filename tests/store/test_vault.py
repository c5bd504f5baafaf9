from __future__ import annotations

import pytest

from gateway.store.vault import SealBroken, Vault


def test_what_is_sealed_opens_again_and_never_looks_the_same() -> None:
    vault = Vault("k" * 40)
    first, second = vault.seal_text("+250788000001"), vault.seal_text("+250788000001")
    assert vault.open_text(first) == vault.open_text(second) == "+250788000001"
    assert first != second
    assert b"788000001" not in first


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda sealed: sealed[:-1], id="cut short"),
        pytest.param(lambda sealed: b"\x07" + sealed[1:], id="unknown version"),
        pytest.param(lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), id="one bit changed"),
        pytest.param(lambda sealed: b"", id="empty"),
    ],
)
def test_what_was_changed_does_not_open(spoil) -> None:  # type: ignore[no-untyped-def]
    vault = Vault("k" * 40)
    with pytest.raises(SealBroken):
        vault.open_text(spoil(vault.seal_text("+250788000001")))


def test_another_key_opens_nothing_and_digests_otherwise() -> None:
    one, other = Vault("k" * 40), Vault("j" * 40)
    with pytest.raises(SealBroken):
        other.open_text(one.seal_text("secret"))
    assert one.digest("+250788000001") != other.digest("+250788000001")


def test_a_photo_does_not_open_as_text() -> None:
    vault = Vault("k" * 40)
    with pytest.raises(SealBroken):
        vault.open_text(vault.seal_photo(b"secret"))
