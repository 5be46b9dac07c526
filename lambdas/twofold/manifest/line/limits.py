"""The limits of lines, keys, labels, images and boxes."""

MAX_LINE_CHARACTERS = 100_000
MAX_LINE_BYTES = 4 * MAX_LINE_CHARACTERS  # UTF-8 takes at most 4 bytes for a character.
MAX_KEY_BYTES = 1024
MAX_LABEL_CHARACTERS = 255

MIN_IMAGE_PIXELS = 64
MAX_IMAGE_PIXELS = 4096
MAX_BOXES = 50

TRAINING_PIXELS = 1280
"""The longer side of an image as training sees it."""

EDGE_PIXELS = 0.05
"""A box that leaves the image by no more than this is taken as rounded."""
