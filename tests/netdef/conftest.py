import pytest

from blobnet.proto.text import dump, parse


@pytest.fixture(scope="session")
def turns():
    """Check that `step` turns one net's text into another's and leaves its argument alone."""

    def check(step, before, after):
        message, untouched = parse(before, "NetParameter"), parse(before, "NetParameter")
        result = step(message)
        assert dump(result) == dump(parse(after, "NetParameter"))
        assert message == untouched
        return result

    return check
