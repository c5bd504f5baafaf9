"""Africa's Talking: USSD and SMS in by webhooks, SMS out by its API.

The halves are imported by name (`.webhooks`, `.client`): a sender needs no web framework.
"""
