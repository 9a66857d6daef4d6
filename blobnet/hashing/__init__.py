"""Hash codes: making and keeping them, Hamming search, retrieval metrics under stated protocols."""

from blobnet.hashing.codes import Codes, binarize, pack, unpack
from blobnet.hashing.index import HammingIndex, Neighbours
from blobnet.hashing.metrics import (
    Evaluation,
    average_precision,
    curve_by_radius,
    curve_by_rank,
    evaluate,
    mean_average_precision,
    precision_at,
    precision_within,
)
from blobnet.hashing.protocol import Protocol, get_protocol, list_protocols

__all__ = ["Codes", "Evaluation", "HammingIndex", "Neighbours", "Protocol", "average_precision", "binarize",
           "curve_by_radius", "curve_by_rank", "evaluate", "get_protocol", "list_protocols", "mean_average_precision",
           "pack", "precision_at", "precision_within", "unpack"]
