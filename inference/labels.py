"""The classes that training makes the model for, in the order of its outputs.

A running model says its own labels in its card (`inference.card`); this list is for training and
drawing. A new label goes to the end.
"""

LABELS = ("bean_spot", "cassava_mosaic", "healthy", "maize_blight", "maize_rust")
BESIDE = (
    "bean_healthy",
    "bean_rust",
    "cassava_healthy",
    "cassava_green_mite",
    "cassava_brown_streak",
    "maize_grey_leaf_spot",
)
"""Outputs behind the labels: what grows beside them and is easily taken for one. They are for
refusing, never advised, because no photos from the field say that the model knows them."""
NONE_OF_THESE = "none"  # the model's last output, never a label in an answer

FIRST_LABELS = ("bean_spot", "cassava_mosaic", "healthy", "maize_blight", "maize_rust")
"""Labels of the verdicts that were stored before a verdict carried its own. For ever as it is."""
