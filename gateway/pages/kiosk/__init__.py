"""The kiosk agent's page: an installable application that keeps photos until they are handed in."""

from gateway.pages.kiosk.views import blueprint

__all__ = ["blueprint"]
