"""What runs behind the doors: the photo queue, its job, and the sweeps that repair."""
