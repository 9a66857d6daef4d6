"""Settings of all tests, and a schema that tests may extend."""

import pytest
from hypothesis import HealthCheck, settings

from blobnet.proto import messages

# A test passes or fails by what it finds, not by how busy the machine is.
settings.register_profile("blobnet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("blobnet")


@pytest.fixture
def extendable(monkeypatch):
    """Forget the plug-in fields of a test after it."""
    monkeypatch.setattr(messages, "_extensions", {})
    messages._pool.cache_clear()
    yield
    messages._extensions.clear()
    messages._pool.cache_clear()
