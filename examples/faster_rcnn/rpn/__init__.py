"""The layers of a region proposal network."""
