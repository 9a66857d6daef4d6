"""Boxes around objects: priors, regions, losses, detections."""
