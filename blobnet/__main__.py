"""`python -m blobnet` is the command `blobnet`."""

import sys

from blobnet.cli import main

sys.exit(main())
