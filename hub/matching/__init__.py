"""Who is who and what is what across tools: exact identifiers decide, names only propose, people have the last word."""

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
)  # fmt: skip
from hub.matching.people import Face, identify
from hub.matching.tasks import match_tasks

__all__ = [
    "Face", "Leftover", "Line", "accept", "containers", "export_csv", "identify", "import_csv", "leftovers", "lines", "match_tasks",
    "propose", "reject", "split",
]  # fmt: skip
