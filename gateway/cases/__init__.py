"""What is decided about a case: intake, triage, escalation, and the life it leads."""
