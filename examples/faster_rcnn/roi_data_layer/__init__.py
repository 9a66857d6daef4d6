"""The layer that feeds detectors with images and boxes."""
