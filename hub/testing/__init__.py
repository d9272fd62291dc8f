"""Fixtures and contracts that a plugin's tests may use: a store, a scripted source, a run of the hub."""

from hub.testing.fixtures import HubResult, ScriptedSource, hub_folder, run_hub, store, sync_once
from hub.testing.laws import store_image

__all__ = ["HubResult", "ScriptedSource", "hub_folder", "run_hub", "store", "store_image", "sync_once"]
