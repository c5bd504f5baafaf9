"""What is to be sent, and what became of it.

A message is posted inside the transaction of what caused it; a sender hands it to the network
once. States: queued, held, sending, sent, delivered, failed, unknown, cancelled.
"""

from gateway.outbox.kinds import Kind
from gateway.outbox.post import depth, held, post

__all__ = ["Kind", "depth", "held", "post"]
