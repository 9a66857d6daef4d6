"""Batches by number, which a data layer reads ahead: one class for each kind of source, all on Batches of base.py."""
