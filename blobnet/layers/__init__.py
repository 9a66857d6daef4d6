"""All layer types, a folder a family, a file a type; importing this package lets them be found, by their file names."""

from blobnet.core.registry import LAYERS, VARIANTS

LAYERS.add_pages(__name__, __path__[0])
VARIANTS.update({  # types that say `variant_of`, by what they are variants of
    "BN": ("PSPNetBN", "SegNetBN"), "EvalDetection": ("RegionEvalDetection",),
    "Normalize": ("ChannelNormalize", "SSDNormalize"), "PairwiseLoss": ("PairwiseDistanceLoss", "PairwiseMeanLoss"),
    "Upsample": ("UpsampleNearest",), "VideoData": ("SegmentVideoData",),
})
