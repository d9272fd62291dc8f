"""The configuration: TOML checked against the settings of every source and destination."""

from hub.settings.converting import choices_of, convert, did_you_mean, is_zone, wanted_by
from hub.settings.files import base_of, find_config, lang_of, load, notify_of
from hub.settings.schema import json_schema
from hub.settings.sections import PrivacySettings, Retention, Settings

__all__ = [
    "PrivacySettings",
    "Retention",
    "Settings",
    "base_of",
    "choices_of",
    "convert",
    "did_you_mean",
    "find_config",
    "is_zone",
    "json_schema",
    "lang_of",
    "load",
    "notify_of",
    "wanted_by",
]
