"""A stand-in for the mobile network: phones in the browser, and the API that sends them SMS.

It runs as a process of its own and speaks to Leafline over HTTP alone, as the real one does.
"""
