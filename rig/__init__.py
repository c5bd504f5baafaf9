"""What tests and benchmarks share: servers, whole houses, people, a storm of faults."""
