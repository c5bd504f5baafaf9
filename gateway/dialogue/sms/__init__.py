"""SMS in: what farmers and officers write, and what they get back."""

from gateway.dialogue.sms.receive import Incoming, receive

__all__ = ["Incoming", "receive"]
