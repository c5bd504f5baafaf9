"""Sealing of personal data at rest: AES-256-GCM, and keyed digests for look-up.

Every key comes from one secret by HKDF-SHA256, so that what seals numbers never seals photos. A
vault may hold several secrets, a ring: the first writes, all of them read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION, NAMED = b"\x01", b"\x02"
"""First byte of what is sealed: without the name of its key, as long as there is but one, or with
its tag. So a release that knew one key reads all that a house with one key writes."""
TAG_BYTES = 4
NONCE_BYTES = 12
MARK = "sealed:"
"""How sealed text begins in a column that held plain text before."""


class SealBroken(Exception):
    """Sealed data does not open: another key, or the bytes were changed."""


class Key:
    """What one secret is used for."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.text = AESGCM(self._derive("text"))
        self.photo = AESGCM(self._derive("photo"))
        self.digest = self._derive("digest")
        self.name = self._derive("name")[:8].hex()
        """16 hex digits that tell keys apart and nothing of the secret."""
        self.tag = bytes.fromhex(self.name)[:TAG_BYTES]

    def _derive(self, purpose: str) -> bytes:
        info = f"leafline {purpose} 1".encode()
        return HKDF(SHA256(), length=32, salt=None, info=info).derive(self._secret)


class Vault:
    """Seals and opens bytes, and digests what must be found again without being read."""

    def __init__(self, secret: str, old: Sequence[str] = ()) -> None:
        """`old`: secrets that are read still, newest first."""
        self.keys = tuple(Key(one) for one in dict.fromkeys((secret, *old)))
        self._lasting: bytes | None = None
        self._find_lasting: Callable[[], bytes | None] | None = None

    @property
    def writer(self) -> Key:
        return self.keys[0]

    @property
    def text_prefix(self) -> bytes:
        """How everything begins that the writing key sealed beside others."""
        return NAMED + self.writer.tag

    def seal_text(self, text: str) -> bytes:
        return self._seal("text", text.encode())

    def open_text(self, sealed: bytes, only: Key | None = None) -> str:
        """`only`: the key to try, else all. Raises: SealBroken."""
        return self._open("text", sealed, (only,) if only else self.keys).decode()

    def is_current(self, sealed: bytes) -> bool:
        """Whether the key that writes sealed this, as its name there says. Without other keys it
        says nothing, and there is nothing to change."""
        return len(self.keys) == 1 or sealed.startswith(self.text_prefix)

    def seal_photo(self, data: bytes) -> bytes:
        return self._seal("photo", data)

    def open_photo(self, sealed: bytes) -> bytes:
        """Raises: SealBroken."""
        return self._open("photo", sealed, self.keys)

    @property
    def mark(self) -> str:
        """How sealed text begins in a column of text."""
        return f"{MARK}{self.writer.tag.hex() if len(self.keys) > 1 else ''}:"

    def seal_marked(self, text: str) -> str:
        """For a column of text that held plain words before."""
        return self.mark + base64.b64encode(self.seal_text(text)).decode()

    def open_marked(self, kept: str) -> str:
        """What `seal_marked` sealed; else a plain value of before. Raises: SealBroken."""
        if not kept.startswith(MARK):
            return kept
        try:
            sealed = base64.b64decode(kept.removeprefix(MARK).partition(":")[2], validate=True)
        except binascii.Error:
            return kept
        return self.open_text(sealed)

    def digest(self, value: str | bytes) -> str:
        """64 hex digits that stay the same whatever key writes: names of photos, tokens.

        A store keeps the key for it, sealed; without a store it is that of the oldest secret.
        """
        if self._lasting is None:
            found = self._find_lasting() if self._find_lasting else None
            self._lasting = found or self.keys[-1].digest
        return _digest(self._lasting, value)

    def number(self, phone: str) -> str:
        """Digest of a phone number under the key that writes: without the key nobody can try all
        numbers against it, and who has an old one cannot either, once the key was rotated."""
        return _digest(self.writer.digest, phone)

    def numbers(self, phone: str) -> list[str]:
        """The digests under which a number may be found, that of the writing key first."""
        return [_digest(key.digest, phone) for key in self.keys]

    def lasting_from(self, find: Callable[[], bytes | None]) -> None:
        """Ask `find` for the key of `digest` when it is first needed."""
        self._find_lasting = find

    def seal_lasting(self, key: Key, lasting: bytes) -> bytes:
        return _encrypt(key.text, VERSION, lasting)

    def open_lasting(self, name: str, sealed: bytes) -> bytes | None:
        """The key of `digest`, sealed with the key of that name; None when it is not on the ring.

        Raises: SealBroken."""
        for key in self.keys:
            if key.name == name:
                return _decrypt(key.text, 1, sealed)
        return None

    def _seal(self, purpose: str, data: bytes) -> bytes:
        head = VERSION if len(self.keys) == 1 else NAMED + self.writer.tag
        return _encrypt(getattr(self.writer, purpose), head, data)

    def _open(self, purpose: str, sealed: bytes, ring: Sequence[Key]) -> bytes:
        if sealed[:1] == NAMED:
            length = 1 + TAG_BYTES
            keys = [key for key in ring if key.tag == sealed[1:length]]
        elif sealed[:1] == VERSION:
            length, keys = 1, list(ring)
        else:
            raise SealBroken("unknown version of sealed data")
        for key in keys:
            try:
                return _decrypt(getattr(key, purpose), length, sealed)
            except SealBroken:
                continue
        raise SealBroken("sealed data does not open with any key that we have")


def _digest(key: bytes, value: str | bytes) -> str:
    data = value.encode() if isinstance(value, str) else value
    return hmac.new(key, data, hashlib.sha256).hexdigest()


def _encrypt(cipher: AESGCM, head: bytes, data: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return head + nonce + cipher.encrypt(nonce, data, head)


def _decrypt(cipher: AESGCM, length: int, sealed: bytes) -> bytes:
    """`length`: bytes of the head, which is sealed with the rest."""
    nonce, body = sealed[length : length + NONCE_BYTES], sealed[length + NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, body, sealed[:length])
    except (InvalidTag, ValueError):
        raise SealBroken("sealed data does not open with this key") from None
