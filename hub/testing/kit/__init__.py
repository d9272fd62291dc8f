"""The certification kit: breaks things on purpose and proves that a connector stands it."""

from hub.simulator import Request, Response, Simulator
from hub.testing.kit import microsoft
from hub.testing.kit.certification import (
    FOLDER,
    SECRET,
    Capability,
    FileWorld,
    HttpWorld,
    RpcWorld,
    SawNothing,
    SourceCertification,
    Verb,
    World,
    credential,
)
from hub.testing.kit.certify import Report, Result, as_junit, certify
from hub.testing.kit.deliveries import DestinationCertification, FolderPlace, Place
from hub.testing.kit.faults import SimulatorServer
from hub.testing.kit.harness import differences, out_of_sight
from hub.testing.kit.ledger import Item, Ledger, Log, page, stamp

__all__ = [
    "FOLDER",
    "SECRET",
    "Capability",
    "DestinationCertification",
    "FileWorld",
    "FolderPlace",
    "HttpWorld",
    "Item",
    "Ledger",
    "Log",
    "Place",
    "Report",
    "Request",
    "Response",
    "Result",
    "RpcWorld",
    "SawNothing",
    "Simulator",
    "SimulatorServer",
    "SourceCertification",
    "Verb",
    "World",
    "as_junit",
    "certify",
    "credential",
    "differences",
    "microsoft",
    "out_of_sight",
    "page",
    "stamp",
]  # fmt: skip
