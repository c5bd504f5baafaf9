"""What every page shares: layout, texts, language, static files, safety, sign-in."""

from gateway.pages.base.install import error_response, guard, install, t

__all__ = ["error_response", "guard", "install", "t"]
