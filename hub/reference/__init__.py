"""Reference data of the PMO, read from config/ as a source."""

from hub.reference.examples import EXAMPLES
from hub.reference.sheets import SHEETS
from hub.reference.source import ConfigSource, has_reference

__all__ = ["EXAMPLES", "SHEETS", "ConfigSource", "has_reference"]
