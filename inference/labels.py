"""The five classes, in the one order that models, files and answers share."""

LABELS = ("bean_spot", "cassava_mosaic", "healthy", "maize_blight", "maize_rust")
NONE_OF_THESE = "none"  # the model's sixth output, never a label in an answer
