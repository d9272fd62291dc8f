"""The certification kit: breaks things on purpose and proves that a connector stands it."""

from hub.testing.kit.certify import Report, Result, certify
from hub.testing.kit.exam import Exam, Request, Response, World
from hub.testing.kit.faults import StandIn

__all__ = ["Exam", "Report", "Request", "Response", "Result", "StandIn", "World", "certify"]
