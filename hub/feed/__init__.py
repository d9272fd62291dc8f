"""The feed: one star schema built from the store, verified before anyone reads it."""

from hub.feed.build import BuildOptions, Snapshot, build, keep_cut, lines_of_month, load_manifest, open_feed
from hub.feed.changes import changes
from hub.feed.cuts import Cut, cut_folder, digest, redact_cut, rewritten
from hub.feed.gate import Finding, check
from hub.feed.kpi import catalogue, evaluate, open_folder, receipt
from hub.feed.kpi.measures import HEALTH, measures
from hub.feed.kpi.shown import Measure
from hub.feed.model import Model, column_captions, model, table_caption
from hub.feed.moment import instant
from hub.feed.projection import forget_projections, levels_of, project_to, projection_folder

__all__ = [
    "HEALTH",
    "BuildOptions",
    "Cut",
    "Finding",
    "Measure",
    "Model",
    "Snapshot",
    "build",
    "catalogue",
    "changes",
    "check",
    "column_captions",
    "cut_folder",
    "digest",
    "evaluate",
    "forget_projections",
    "instant",
    "keep_cut",
    "levels_of",
    "lines_of_month",
    "load_manifest",
    "measures",
    "model",
    "open_feed",
    "open_folder",
    "project_to",
    "projection_folder",
    "receipt",
    "redact_cut",
    "rewritten",
    "table_caption",
]  # fmt: skip
