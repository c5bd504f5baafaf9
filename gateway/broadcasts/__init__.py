"""Messages to all farmers of an area, approved by a second person, fed to the outbox slowly."""
