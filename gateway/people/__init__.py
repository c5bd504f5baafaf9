"""Farmers, kiosks and officers: who they are, what they agreed to, how they prove it."""
