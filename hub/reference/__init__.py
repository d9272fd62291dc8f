"""Reference data of the PMO, read from config/ as a source."""

from hub.reference.countries import unknown_country
from hub.reference.examples import EXAMPLES
from hub.reference.findings import Finding, Known, findings
from hub.reference.sheets import SHEETS
from hub.reference.source import ConfigSource, chosen_fields, has_reference

__all__ = [
    "EXAMPLES",
    "SHEETS",
    "ConfigSource",
    "Finding",
    "Known",
    "chosen_fields",
    "findings",
    "has_reference",
    "unknown_country",
]
