"""USSD: a pure engine, declared screens, and the thin layer that keeps a session."""

from gateway.dialogue.ussd.service import UssdRequest, answer

__all__ = ["UssdRequest", "answer"]
