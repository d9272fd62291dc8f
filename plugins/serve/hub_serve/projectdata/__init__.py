"""The feed under the entity sets of Project Online's reporting service, for reports that lost it."""

from __future__ import annotations

from hub_serve.projectdata.answer import routes

__all__ = ["routes"]
