"""Nets and weights as other programs read and write them."""
