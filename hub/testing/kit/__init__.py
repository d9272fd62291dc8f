"""The certification kit: breaks things on purpose and proves that a connector stands it."""

from hub.testing.kit import microsoft
from hub.testing.kit.bench import differences, out_of_sight
from hub.testing.kit.certify import Report, Result, as_junit, certify
from hub.testing.kit.deliveries import DestinationExam, FolderPlace, Place
from hub.testing.kit.exam import (
    FOLDER,
    SECRET,
    Capability,
    Exam,
    FileWorld,
    HttpWorld,
    Request,
    Response,
    Verb,
    World,
    credential,
)
from hub.testing.kit.faults import StandIn
from hub.testing.kit.ledger import Item, Ledger, Log, page, stamp
from hub.testing.kit.shown import Shown

__all__ = [
    "FOLDER", "SECRET", "Capability", "DestinationExam", "Exam", "FileWorld", "FolderPlace", "HttpWorld", "Item", "Ledger", "Log", "Place", "Report", "Request", "Response", "Result", "Shown", "StandIn",
    "Verb", "World", "as_junit", "certify", "credential", "differences", "microsoft", "out_of_sight", "page", "stamp",
]  # fmt: skip
