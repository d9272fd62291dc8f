"""One feed for each request, the rows of the one who asks, and an end to what takes too long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from hub_serve import feeds as feeds_room
from hub_serve.feeds import Feeds, TooLong
from hub_serve.tokens import Reader

from hub import ConfigError, FeedView
from hub.cli.app import App
from hub.testing import HubResult, hub_folder, run_hub

__all__ = ["hub_folder", "run_hub"]

PEOPLE = """person_id,name,team,email
P1,Ada,Alpha,ada@example.org
P2,Bob,Beta,bob@example.org
"""
PROJECTS = """code,name,program
ONE,First,North
TWO,Second,North
SIX,Sixth,South
"""
LINKS = """source,container,code
hours,ONE,ONE
hours,TWO,TWO
hours,SIX,SIX
"""
ACCESS = """user_principal,project_code,team
ada@example.org,ONE,
bob@example.org,,Beta
cleo@example.org,TWO,Beta
"""
HOURS = """day,person,project,hours
2026-03-02,ada@example.org,ONE,4
2026-03-02,ada@example.org,SIX,2
2026-03-03,bob@example.org,ONE,3
2026-03-03,bob@example.org,TWO,5
2026-03-04,ada@example.org,TWO,1
"""
