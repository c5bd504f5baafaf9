"""One folder for each way in or out; each knows one outside format and nothing else does."""

PROVIDERS = (
    "africastalking",
    "http_gateway",
)
"""Those by which messages can leave, a line each: the folder is the name, and has a `provider.py`
as gateway.channels.provider says."""
