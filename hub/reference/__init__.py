"""Reference data a PMO keeps in config/: the portfolio, and which container feeds which project."""

from hub.reference.source import ConfigSource

__all__ = ["ConfigSource"]
