"""A simulator of Jira, Cloud and Data Center: for tests, for the kit, and for the demonstration."""

from hub_jira.testing.answers import Caps
from hub_jira.testing.simulator import JiraSimulator
from hub_jira.testing.site import CLIENT, CLOUD_ID, EMAIL, TOKEN, JiraSite
from hub_jira.testing.tempo import TempoWorld
from hub_jira.testing.world import COMMENT, KEYS, JiraWorld, ServerWorld

__all__ = [
    "CLIENT",
    "CLOUD_ID",
    "COMMENT",
    "EMAIL",
    "KEYS",
    "TOKEN",
    "Caps",
    "JiraSimulator",
    "JiraSite",
    "JiraWorld",
    "ServerWorld",
    "TempoWorld",
]
