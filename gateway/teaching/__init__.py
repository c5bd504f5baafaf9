"""What officers teach the model: labels of photos, their export, where they disagree with it."""
