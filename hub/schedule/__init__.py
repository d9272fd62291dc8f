"""When the main job runs: cron in process, or a text for the machine's own scheduler."""

from hub.schedule.cron import Cron, trigger
from hub.schedule.install import KINDS, Installation, plan_installation

__all__ = ["KINDS", "Cron", "Installation", "plan_installation", "trigger"]
