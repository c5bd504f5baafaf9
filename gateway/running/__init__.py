"""Starts, stops and checks Leafline: the supervisor, each process, the doctor, the demo."""
