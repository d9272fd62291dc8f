"""Who is who and what is what across tools: exact identifiers decide, names propose, people confirm."""

from hub.matching.decide import (
    Leftover,
    Line,
    accept,
    containers,
    export_csv,
    import_csv,
    leftovers,
    lines,
    propose,
    reject,
    split,
)
from hub.matching.evidence import spoken_evidence, spoken_method
from hub.matching.people import Face, identify
from hub.matching.tasks import match_tasks

__all__ = [
    "Face",
    "Leftover",
    "Line",
    "accept",
    "containers",
    "export_csv",
    "identify",
    "import_csv",
    "leftovers",
    "lines",
    "match_tasks",
    "propose",
    "reject",
    "split",
    "spoken_evidence",
    "spoken_method",
]
