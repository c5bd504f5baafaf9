"""Sign-in of the pages; it lives beside the application because the kiosk's API reads it too."""

from gateway.sessions import sign_in, sign_out, signed_in, signer

__all__ = ["sign_in", "sign_out", "signed_in", "signer"]
