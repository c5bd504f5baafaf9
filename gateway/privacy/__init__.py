"""What a person may ask of her data: consent, its end after the set months, deletion at once."""
