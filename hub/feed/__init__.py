"""The feed: one star schema built from the store, verified before anyone reads it."""

from hub.feed.build import BuildOptions, Snapshot, build, instant, load_manifest, open_feed
from hub.feed.changes import changes
from hub.feed.gate import Finding, check
from hub.feed.model import column_captions, model, table_caption
from hub.feed.projection import project_to

__all__ = [
    "BuildOptions", "Finding", "Snapshot", "build", "changes", "check", "column_captions", "instant", "load_manifest",
    "model", "open_feed", "project_to", "table_caption",
]  # fmt: skip
