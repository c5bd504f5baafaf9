"""Sealing of personal data at rest: AES-256-GCM, and a keyed digest for look-up.

Every key comes from one secret by HKDF-SHA256, so that what seals numbers never seals photos.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
NONCE_BYTES = 12


class SealBroken(Exception):
    """Sealed data does not open: another key, or the bytes were changed."""


class Vault:
    """Seals and opens bytes, and digests what must be found again without being read."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._text = AESGCM(self._derive("text"))
        self._photo = AESGCM(self._derive("photo"))
        self._digest = self._derive("digest")

    def _derive(self, purpose: str) -> bytes:
        info = f"leafline {purpose} 1".encode()
        return HKDF(SHA256(), length=32, salt=None, info=info).derive(self._secret)

    def seal_text(self, text: str) -> bytes:
        return _seal(self._text, text.encode())

    def open_text(self, sealed: bytes) -> str:
        """Raises: SealBroken."""
        return _open(self._text, sealed).decode()

    def seal_photo(self, data: bytes) -> bytes:
        return _seal(self._photo, data)

    def open_photo(self, sealed: bytes) -> bytes:
        """Raises: SealBroken."""
        return _open(self._photo, sealed)

    def digest(self, value: str | bytes) -> str:
        """64 hex digits; without the key nobody can try all numbers against it."""
        data = value.encode() if isinstance(value, str) else value
        return hmac.new(self._digest, data, hashlib.sha256).hexdigest()


def _seal(cipher: AESGCM, data: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + cipher.encrypt(nonce, data, VERSION)


def _open(cipher: AESGCM, sealed: bytes) -> bytes:
    if sealed[:1] != VERSION:
        raise SealBroken("unknown version of sealed data")
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, body, VERSION)
    except (InvalidTag, ValueError):
        raise SealBroken("sealed data does not open with this key") from None
