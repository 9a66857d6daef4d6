"""What compares the net with labels, and does not belong to it once it is trained. Losses are left out without this."""

from __future__ import annotations

from blobnet.exchange.onnx.registry import leaves_out

leaves_out("Accuracy", "RankAccuracy", "SegAccuracy", "DetectionEvaluate", "EvalDetection", "RegionEvalDetection",
           why="a measure, which needs labels")
leaves_out("BoxAnnotatorOHEM", why="it chooses what a loss learns from")
leaves_out("HDF5Output", why="it writes a file")
