"""Nets, solvers and recipes drafted for a user's own data, by edits of the published ones."""
