"""Seeds that pycaffe refuses."""

import pytest

from blobnet.pycaffe.modes import set_random_seed


@pytest.mark.parametrize("seed, error", [(-3, OverflowError), (1 << 32, OverflowError), (1.5, TypeError),
                                         ("1", TypeError), (None, TypeError)])
def test_seeds_are_refused_at_once(seed, error):
    with pytest.raises(error, match="set_random_seed takes"):
        set_random_seed(seed)
