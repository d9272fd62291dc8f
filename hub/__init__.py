"""pm-hub: one normalized store and one reporting feed from the project tools an organisation already has.

This is the front door: all that a plugin may import. Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.bounds import Count as Count
    from hub.bounds import Port as Port
    from hub.bounds import Positive as Positive
    from hub.bounds import Share as Share
    from hub.cells import RULES as RULES
    from hub.cells import SERIAL_ZERO as SERIAL_ZERO
    from hub.cells import SERIAL_ZERO_1904 as SERIAL_ZERO_1904
    from hub.cells import CellReader as CellReader
    from hub.cells import DecimalSign as DecimalSign
    from hub.cells import Declared as Declared
    from hub.cells import FormattedNumber as FormattedNumber
    from hub.cells import caption_currency as caption_currency
    from hub.cells import cell_text as cell_text
    from hub.cells import currencies_of as currencies_of
    from hub.cells import day_readings as day_readings
    from hub.cells import elapsed as elapsed
    from hub.cells import is_error as is_error
    from hub.cells import is_nothing as is_nothing
    from hub.cells import names_days as names_days
    from hub.cells import names_period as names_period
    from hub.cells import near_day as near_day
    from hub.cells import period_named as period_named
    from hub.cells import periods_of as periods_of
    from hub.cells import scale_of as scale_of
    from hub.cells import serial_of as serial_of
    from hub.cells import span_of as span_of
    from hub.cells import unit_of as unit_of
    from hub.cells import weekdays_among as weekdays_among
    from hub.cells import year_in as year_in
    from hub.clock import civil_day as civil_day
    from hub.clock import is_set as is_set
    from hub.clock import utc_stamp as utc_stamp
    from hub.columns import columns_of as columns_of
    from hub.context import Context as Context
    from hub.context import DeliveryContext as DeliveryContext
    from hub.context import Network as Network
    from hub.destination import Delivery as Delivery
    from hub.destination import Destination as Destination
    from hub.destination import FeedView as FeedView
    from hub.destination import Privacy as Privacy
    from hub.destination import folder_check as folder_check
    from hub.entra import Entra as Entra
    from hub.entra import SignIn as SignIn
    from hub.errors import CellError as CellError
    from hub.errors import ConfigError as ConfigError
    from hub.errors import DeliveryDenied as DeliveryDenied
    from hub.errors import DeliveryError as DeliveryError
    from hub.errors import DeliveryForbidden as DeliveryForbidden
    from hub.errors import DeliveryGone as DeliveryGone
    from hub.errors import DeliveryUnavailable as DeliveryUnavailable
    from hub.errors import HubError as HubError
    from hub.errors import Interrupted as Interrupted
    from hub.errors import MissingExtra as MissingExtra
    from hub.errors import PluginError as PluginError
    from hub.errors import SourceDataError as SourceDataError
    from hub.errors import SourceDenied as SourceDenied
    from hub.errors import SourceError as SourceError
    from hub.errors import SourceForbidden as SourceForbidden
    from hub.errors import SourceGone as SourceGone
    from hub.errors import SourceUnavailable as SourceUnavailable
    from hub.errors import YearOpenError as YearOpenError
    from hub.feed import column_captions as column_captions
    from hub.feed import table_caption as table_caption
    from hub.feed.access import BRIDGE as BRIDGE
    from hub.feed.access import Bearing as Bearing
    from hub.feed.access import bearings as bearings
    from hub.feed.access import shows_sql as shows_sql
    from hub.feed.kpi.catalogue import catalogue as catalogue
    from hub.feed.kpi.evaluate import evaluate as evaluate
    from hub.feed.kpi.explain import Receipt as Receipt
    from hub.feed.kpi.explain import receipt as receipt
    from hub.feed.kpi.measures import CONFIDENCE as CONFIDENCE
    from hub.feed.kpi.measures import DECLARED as DECLARED
    from hub.feed.kpi.measures import HEALTH as HEALTH
    from hub.feed.kpi.measures import TREND as TREND
    from hub.feed.kpi.measures import measures as measures
    from hub.feed.kpi.shown import Measure as Measure
    from hub.feed.model import HIERARCHIES as HIERARCHIES
    from hub.feed.model import model as model
    from hub.feed.reasons import spoken_cell as spoken_cell
    from hub.feed.reasons import spoken_check as spoken_check
    from hub.feed.reasons import spoken_column as spoken_column
    from hub.feed.reasons import spoken_measure as spoken_measure
    from hub.feed.reasons import spoken_move as spoken_move
    from hub.feed.reasons import spoken_reason as spoken_reason
    from hub.feed.reasons import spoken_status as spoken_status
    from hub.feed.story import ARROWS as ARROWS
    from hub.feed.story import CHARTS as CHARTS
    from hub.feed.story import Figure as Figure
    from hub.feed.story import Line as Line
    from hub.feed.story import Milestone as Milestone
    from hub.feed.story import Move as Move
    from hub.feed.story import RegisterEntry as RegisterEntry
    from hub.feed.story import Story as Story
    from hub.feed.story import alternative as alternative
    from hub.feed.story import chart as chart
    from hub.feed.story import rows_of as rows_of
    from hub.feed.story import title_of as title_of
    from hub.feed.story import zone as zone
    from hub.feed.story.listing import listed as listed
    from hub.feed.story.telling import tell as tell
    from hub.feed.story.writing import amount as amount
    from hub.feed.story.writing import sign_of as sign_of
    from hub.feed.story.writing import what_moved as what_moved
    from hub.feed.story.writing import written as written
    from hub.files import FORMULA_STARTS as FORMULA_STARTS
    from hub.files import FileState as FileState
    from hub.files import matching_files as matching_files
    from hub.files import mend_folder as mend_folder
    from hub.files import relative_name as relative_name
    from hub.files import replace_folder as replace_folder
    from hub.files import storable as storable
    from hub.files import text_as_written as text_as_written
    from hub.files import write_atomically as write_atomically
    from hub.hookspecs import hookimpl as hookimpl
    from hub.http import Moment as Moment
    from hub.http import complaint as complaint
    from hub.http import json_rpc as json_rpc
    from hub.http import sign_in_client as sign_in_client
    from hub.metrics import feed_gauges as feed_gauges
    from hub.metrics import openmetrics as openmetrics
    from hub.metrics import source_gauges as source_gauges
    from hub.notify import send as send
    from hub.placement import LEFT as LEFT
    from hub.plugins import Plugins as Plugins
    from hub.publish.cuts import moment_of as moment_of
    from hub.records import BY_TABLE as BY_TABLE
    from hub.records import RECORDS as RECORDS
    from hub.records import Account as Account
    from hub.records import Allocation as Allocation
    from hub.records import Assignment as Assignment
    from hub.records import Baseline as Baseline
    from hub.records import BudgetLine as BudgetLine
    from hub.records import Capacity as Capacity
    from hub.records import Category as Category
    from hub.records import ChecklistItem as ChecklistItem
    from hub.records import Container as Container
    from hub.records import CustomValue as CustomValue
    from hub.records import Iteration as Iteration
    from hub.records import Project as Project
    from hub.records import ProjectLink as ProjectLink
    from hub.records import Record as Record
    from hub.records import RegisterItem as RegisterItem
    from hub.records import SlaCycle as SlaCycle
    from hub.records import Task as Task
    from hub.records import TaskChange as TaskChange
    from hub.records import TaskLink as TaskLink
    from hub.records import Worklog as Worklog
    from hub.secrets import Secret as Secret
    from hub.settings import choices_of as choices_of
    from hub.settings import convert as convert
    from hub.settings import did_you_mean as did_you_mean
    from hub.settings import is_zone as is_zone
    from hub.settings import wanted_by as wanted_by
    from hub.simulator import Simulator as Simulator
    from hub.source import Batch as Batch
    from hub.source import Census as Census
    from hub.source import Check as Check
    from hub.source import Gone as Gone
    from hub.source import Offer as Offer
    from hub.source import Partition as Partition
    from hub.source import Scope as Scope
    from hub.source import Source as Source
    from hub.source import Suggestion as Suggestion
    from hub.store.engines.reach import server_parameters as server_parameters
    from hub.store.engines.reach import session_sql as session_sql
    from hub.store.erasure import ERASED as ERASED
    from hub.store.plans import container_named as container_named
    from hub.store.plans import links_known as links_known
    from hub.store.plans import tasks_known as tasks_known
    from hub.tally import Tally as Tally
    from hub.tally import check_names as check_names
    from hub.tally import field_of as field_of
    from hub.tally import named as named
    from hub.tally import renamed as renamed
    from hub.tally import too_many as too_many
    from hub.words import LANGS as LANGS
    from hub.words import Lang as Lang
    from hub.words import day as day
    from hub.words import enumerated as enumerated
    from hub.words import language as language
    from hub.words import mark as mark
    from hub.words import number as number
    from hub.words import speaking as speaking
    from hub.words import tr as tr
    from hub.words import trn as trn

_ROOMS = {
    "bounds": ("Count", "Port", "Positive", "Share"),
    "cells": (
        "RULES", "SERIAL_ZERO", "SERIAL_ZERO_1904", "CellReader", "DecimalSign", "Declared",
        "FormattedNumber", "caption_currency", "cell_text",
        "currencies_of", "day_readings", "elapsed",
        "is_error", "is_nothing", "names_days", "names_period", "near_day", "period_named", "periods_of",
        "scale_of", "serial_of", "span_of", "unit_of", "weekdays_among", "year_in",
    ),
    "clock": ("civil_day", "is_set", "utc_stamp"),
    "columns": ("columns_of",),
    "context": ("Context", "DeliveryContext", "Network"),
    "destination": ("Delivery", "Destination", "FeedView", "Privacy", "folder_check"),
    "entra": ("Entra", "SignIn"),
    "errors": (
        "CellError", "ConfigError", "DeliveryDenied", "DeliveryError", "DeliveryForbidden", "DeliveryGone",
        "DeliveryUnavailable", "HubError", "Interrupted", "MissingExtra", "PluginError", "SourceDataError",
        "SourceDenied", "SourceError", "SourceForbidden", "SourceGone", "SourceUnavailable", "YearOpenError",
    ),
    "feed": ("column_captions", "table_caption"),
    "feed.access": ("BRIDGE", "Bearing", "bearings", "shows_sql"),
    "feed.kpi.catalogue": ("catalogue",),
    "feed.kpi.evaluate": ("evaluate",),
    "feed.kpi.explain": ("Receipt", "receipt"),
    "feed.kpi.measures": ("CONFIDENCE", "DECLARED", "HEALTH", "TREND", "measures"),
    "feed.kpi.shown": ("Measure",),
    "feed.model": ("HIERARCHIES", "model"),
    "feed.reasons": (
        "spoken_cell", "spoken_check", "spoken_column", "spoken_measure", "spoken_move", "spoken_reason",
        "spoken_status",
    ),
    "feed.story": (
        "ARROWS", "CHARTS", "Figure", "Line", "Milestone", "Move", "RegisterEntry", "Story", "alternative",
        "chart", "rows_of", "title_of", "zone",
    ),
    "feed.story.listing": ("listed",),
    "feed.story.telling": ("tell",),
    "feed.story.writing": ("amount", "sign_of", "what_moved", "written"),
    "files": (
        "FORMULA_STARTS", "FileState", "matching_files", "mend_folder", "relative_name", "replace_folder",
        "storable", "text_as_written", "write_atomically",
    ),
    "hookspecs": ("hookimpl",),
    "http": ("complaint", "Moment", "json_rpc", "sign_in_client"),
    "metrics": ("feed_gauges", "openmetrics", "source_gauges"),
    "notify": ("send",),
    "placement": ("LEFT",),
    "plugins": ("Plugins",),
    "publish.cuts": ("moment_of",),
    "records": (
        "BY_TABLE", "RECORDS", "Account", "Allocation", "Assignment", "Baseline", "BudgetLine", "Capacity",
        "Category", "ChecklistItem", "Container", "CustomValue", "Iteration", "Project", "ProjectLink",
        "Record", "RegisterItem", "SlaCycle", "Task", "TaskChange", "TaskLink", "Worklog",
    ),
    "secrets": ("Secret",),
    "settings": ("choices_of", "convert", "did_you_mean", "is_zone", "wanted_by"),
    "simulator": ("Simulator",),
    "source": ("Batch", "Census", "Check", "Gone", "Offer", "Partition", "Scope", "Source", "Suggestion"),
    "store.engines.reach": ("server_parameters", "session_sql"),
    "store.erasure": ("ERASED",),
    "store.plans": ("container_named", "links_known", "tasks_known"),
    "tally": ("Tally", "check_names", "field_of", "named", "renamed", "too_many"),
    "words": ("LANGS", "Lang", "day", "enumerated", "language", "mark", "number", "speaking", "tr", "trn"),
}  # fmt: skip
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = sorted(_ROOM_OF)  # noqa: PLE0605 - a test holds it to the imports above


def __getattr__(name: str) -> Any:
    """Load *name* from its room."""
    if name == "__version__":
        return importlib.import_module("hub.version").version()
    try:
        room = _ROOM_OF[name]
    except KeyError:
        raise AttributeError(f"module 'hub' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f"hub.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the front door's names."""
    return __all__
