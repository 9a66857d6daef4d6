"""Estimators as scikit-learn has them: nets that classify, and hash codes, in pipelines and grid searches.

scikit-learn is optional: pip install 'blobnet[sklearn]'.
"""

from blobnet.errors import MissingLibrary

try:
    from blobnet.sklearn.hashing_transformer import HashingTransformer
    from blobnet.sklearn.net_classifier import NetClassifier
except ImportError as error:
    raise MissingLibrary("blobnet.sklearn", f"needs scikit-learn, 1.6 or newer ({error})",
                         hint="pip install 'blobnet[sklearn]'") from error

__all__ = ["HashingTransformer", "NetClassifier"]
