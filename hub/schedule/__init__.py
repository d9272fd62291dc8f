"""When the main job runs: cron in process, or a text for the machine's own scheduler."""

from hub.schedule.cron import Cron, trigger
from hub.schedule.install import plan_installation
from hub.schedule.missed import Missed, missed
from hub.schedule.plan import KINDS, MARK, Installation, machine_zone

__all__ = [
    "KINDS", "MARK", "Cron", "Installation", "Missed", "machine_zone", "missed", "plan_installation",
    "trigger",
]  # fmt: skip
