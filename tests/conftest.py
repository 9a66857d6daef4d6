"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# A test passes or fails by what it finds, not by how busy the machine is.
settings.register_profile("blobnet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("blobnet")
