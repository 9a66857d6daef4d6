"""Boxes of images: where to look for things, pooling inside of boxes, boxes that are found."""
