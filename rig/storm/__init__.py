"""Parts of benchmarks/chaos.py: a house, the network outside it, clients, faults, an auditor."""
