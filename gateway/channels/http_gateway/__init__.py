"""Any SMS gateway that is spoken to over HTTP, as Kannel, Jasmin and playSMS are: SMS only.

The halves are imported by name (`.routes`, `.client`): a sender needs no web framework.
"""
