"""Shared fixtures, and the two sizes of the long proofs."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from hub.testing import hub_folder, run_hub, store

__all__ = ["hub_folder", "run_hub", "store"]

PROOF = bool(os.environ.get("PM_HUB_PROOF"))
_CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "sample", max_examples=25, derandomize=True, deadline=None, suppress_health_check=_CHECKS
)
settings.register_profile("proof", max_examples=400, deadline=None, suppress_health_check=_CHECKS)
settings.load_profile("proof" if PROOF else "sample")


@pytest.fixture(scope="session")
def proof() -> bool:
    """Say whether the long proofs run whole (`make proof`) or as a fixed-seed sample (`make test`)."""
    return PROOF
