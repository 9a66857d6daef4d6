"""What `import caffe` finds in processes that a script under `python -m blobnet.pycaffe` starts."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))  # where blobnet is, should it not be installed

from blobnet.pycaffe.glog import init_log  # noqa: E402
from blobnet.pycaffe.install import install_as_caffe  # noqa: E402

install_as_caffe()
init_log()
