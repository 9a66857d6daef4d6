"""Similarities and losses of the hashing papers."""
