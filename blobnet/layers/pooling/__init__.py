"""Windows reduced to one number."""
