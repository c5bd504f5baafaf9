"""Every setting of Leafline: one typed object, read once, wrong values refused at start.

* `fields.py`: the settings, a field each. A new one goes there.
* `derived.py`: what several of them must agree in, and what follows from them.
* `kinds.py`: the kinds of values that fields have, and the marks of what is secret.
* `reading.py`: where values are looked for, and how a wrong one is named.
* `key_ring.py`: what makes a secret good, and the secrets kept in the home.
"""

from gateway.settings.derived import Kept, Settings
from gateway.settings.errors import SettingsError
from gateway.settings.fields import ROOT
from gateway.settings.key_ring import OLD_KEYS, weakness, write_secret
from gateway.settings.kinds import CHANNEL_KEY, SECRET_KEY, Copied, Secret, hidden
from gateway.settings.reading import FROM_FILE, Section

__all__ = [
    "CHANNEL_KEY",
    "FROM_FILE",
    "OLD_KEYS",
    "ROOT",
    "SECRET_KEY",
    "Copied",
    "Kept",
    "Secret",
    "Section",
    "Settings",
    "SettingsError",
    "hidden",
    "weakness",
    "write_secret",
]
