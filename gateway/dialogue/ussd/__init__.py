"""USSD: a pure engine, declared screens, and the thin layer that keeps a session."""

from gateway.dialogue.ussd.service import Reply, UssdRequest, answer, ended

__all__ = ["Reply", "UssdRequest", "answer", "ended"]
