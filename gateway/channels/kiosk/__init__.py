"""The kiosk agent's API: photos in, the state of a case out."""

from gateway.channels.kiosk.api import blueprint

__all__ = ["blueprint"]
