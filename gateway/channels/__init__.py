"""One folder for each way in or out; each knows one outside format and nothing else does."""
