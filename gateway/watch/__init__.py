"""Who notices that something is wrong: incidents, repairs, rounds of sweeps, mail."""
