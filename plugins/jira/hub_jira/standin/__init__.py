"""A stand-in of Jira, Cloud and Data Center: for tests, for the kit, and for the demonstration."""

from hub_jira.standin.shown import ShownJira
from hub_jira.standin.site import CLIENT, CLOUD_ID, EMAIL, TOKEN, Caps, JiraSite
from hub_jira.standin.world import COMMENT, KEYS, JiraWorld, ServerWorld

__all__ = [
    "CLIENT",
    "CLOUD_ID",
    "COMMENT",
    "EMAIL",
    "KEYS",
    "TOKEN",
    "Caps",
    "JiraSite",
    "JiraWorld",
    "ServerWorld",
    "ShownJira",
]
