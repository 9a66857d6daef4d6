"""Hash codes: making and keeping them, search by several metrics, retrieval metrics under stated protocols."""

from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import build_index
from blobnet.hashing.faiss_index import FaissIndex
from blobnet.hashing.index import HammingIndex
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
from blobnet.hashing.multi_index import MultiIndex
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.packing import binarize, one_hot, pack, unpack
from blobnet.hashing.principal_components import PrincipalComponents, principal_components
from blobnet.hashing.protocol import Protocol, get_protocol, list_protocols
from blobnet.hashing.real_index import AsymmetricIndex, CosineIndex, EuclideanIndex, InnerProductIndex

__all__ = ["AsymmetricIndex", "Codes", "CosineIndex", "EuclideanIndex", "Evaluation", "FaissIndex", "HammingIndex",
           "InnerProductIndex", "MultiIndex", "Neighbours", "PrincipalComponents", "Protocol", "average_precision",
           "binarize", "build_index", "curve_by_radius", "curve_by_rank", "evaluate", "get_protocol", "list_protocols",
           "mean_average_precision", "one_hot", "pack", "precision_at", "precision_within", "principal_components",
           "unpack"]
