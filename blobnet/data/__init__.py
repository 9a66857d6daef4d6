"""What feeds a net: records and databases, images, transformations, reading ahead, known data sets."""
