"""Scores that nothing learns from."""
