"""What is known of crops and their diseases."""
