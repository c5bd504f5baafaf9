"""SMS in: what farmers and officers write, and what they get back.

inbox.py       one SMS, kept once; who wrote it; the reply goes out
words.py       what any text says: keywords, codes, languages, slips of the thumb
farmer.py      what a farmer's does; `meaning.py` has the words beside the keywords
officer/       what an officer's or the operator's does
chatter.py     of what kind their text is; `small_talk.py` has the words that are no advice
reply.py       what goes back
"""

from gateway.dialogue.sms.inbox import Incoming, receive

__all__ = ["Incoming", "receive"]
