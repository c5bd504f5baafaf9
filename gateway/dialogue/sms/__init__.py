"""SMS in: what farmers and officers write, and what they get back."""

from gateway.dialogue.sms.inbox import Incoming, receive

__all__ = ["Incoming", "receive"]
