"""The configuration as a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.destination import Destination
from hub.secrets import Secret
from hub.settings.sections import (
    BackupSettings,
    Committee,
    Engine,
    Gate,
    Log,
    Match,
    Notify,
    PrivacySettings,
    Retention,
    Schedule,
    Sharing,
)
from hub.source import Source


def json_schema(
    sources: Mapping[str, type[Source]], destinations: Mapping[str, type[Destination]]
) -> dict[str, Any]:
    """Return the JSON Schema of the configuration, for editors."""
    text = {"type": "string"}
    secret = {"oneOf": [{"type": "object", "properties": {k: text, "expires": text}, "required": [k],
                         "additionalProperties": False} for k in ("env", "keyring", "file")]}  # fmt: skip

    def schema_hook(wanted: type) -> dict[str, Any]:
        if wanted is Secret:
            return secret
        raise NotImplementedError(str(wanted))

    parts = [
        *sources.values(),
        *destinations.values(),
        Schedule,
        Notify,
        Gate,
        Engine,
        Match,
        PrivacySettings,
        Committee,
        BackupSettings,
        Retention,
        Log,
        Sharing,
    ]
    _, definitions = msgspec.json.schema_components(
        parts, schema_hook=schema_hook, ref_template="#/$defs/{name}"
    )

    def table(kinds: Mapping[str, type[Any]]) -> dict[str, Any]:
        choices = []
        for kind, cls in sorted(kinds.items()):
            body = dict(definitions[cls.__name__])
            body["properties"] = {"kind": {"const": kind}} | {
                k: v for k, v in body["properties"].items() if k != "name"
            }
            body["required"] = ["kind", *[k for k in body.get("required", []) if k != "name"]]
            body["title"] = kind
            choices.append(body)
        return {"type": "object", "additionalProperties": {"oneOf": choices} if choices else {}}

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pm-hub configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "store": {"type": "string", "default": "sqlite:///data/hub.db"},
            "store_password": {
                "type": "object",
                "description": "where the password of the store lies",
            },
            "feed": {"type": "string", "default": "data/feed"},
            "lang": {"enum": ["en", "fr"]},
            "country": {"type": "string", "default": "FR", "description": "ISO code of the public holidays"},
            "currency": {"type": "string", "default": "EUR", "description": "currency of the feed's amounts"},
            "sources": table(sources),
            "destinations": table(destinations),
            **{
                name: {"$ref": f"#/$defs/{name.capitalize()}"}
                for name in (
                    "schedule",
                    "notify",
                    "gate",
                    "engine",
                    "match",
                    "committee",
                    "retention",
                    "log",
                )
            },
            "environment": {"type": "string", "description": "told in messages, such as production"},
            "metrics": {"type": "string", "description": "file of OpenMetrics text, written after each run"},
            "lineage": {"type": "string", "description": "file of OpenLineage events, one a line"},
            "delivery": {"$ref": "#/$defs/Sharing"},
            "privacy": {"$ref": "#/$defs/PrivacySettings"},
            "backup": {"$ref": "#/$defs/BackupSettings"},
        },
        "$defs": definitions,
    }
