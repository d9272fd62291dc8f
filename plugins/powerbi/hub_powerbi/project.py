"""Put a Power BI project together, and prove that its parts fit.

Model, report, shortcut, connection file.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from hub import DeliveryError, tr
from hub_powerbi.check import check
from hub_powerbi.content import Content
from hub_powerbi.names import Names
from hub_powerbi.reach import dead_slicers
from hub_powerbi.report import Look, report_files
from hub_powerbi.source_m import database
from hub_powerbi.tmdl import model_files

SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric/"
_SPACE = uuid.UUID("6a1f3a52-4f0e-5d8e-9a55-3c1d6c1e7b20")


def project_files(
    *, name: str, lang: str, location: str, incremental_months: int | None = None, look: Look | None = None
) -> dict[str, Content]:
    """Return every file of the project by its path; *look* is the company's theme and logo.

    Raises `DeliveryError` when the model does not hold together: nothing broken leaves.
    """
    definition = model_files(name=name, lang=lang, location=location, incremental_months=incremental_months)
    written = report_files(Names(lang), look or Look())
    pages = {
        path.removeprefix("definition/"): text
        for path, text in written.items()
        if isinstance(text, str) and path.startswith("definition/")
    }
    if problems := check(definition) or dead_slicers(definition, pages):
        raise DeliveryError(
            tr(
                "The Power BI model was not written, because {count} of its parts do not fit, such "
                "as {where}: {what}. This is a fault of the hub or of a plugin's KPI: please report "
                "it.",
                count=len(problems),
                where=problems[0].where,
                what=problems[0].what,
            )
        )
    model, report = f"{name}.SemanticModel", f"{name}.Report"
    found: dict[str, Content] = {
        f"{name}.pbip": _json(
            "pbip/pbipProperties/1.0.0",
            {
                "version": "1.0",
                "artifacts": [{"report": {"path": report}}],
                "settings": {"enableAutoRecovery": True},
            },
        ),
        f"{name}.pbids": json.dumps(_connection(location), indent=2) + "\n",
        f"{model}/.platform": _platform("SemanticModel", name),
        f"{model}/definition.pbism": _json(
            "item/semanticModel/definitionProperties/1.0.0", {"version": "4.2", "settings": {}}
        ),
        f"{report}/.platform": _platform("Report", name),
        f"{report}/definition.pbir": _json(
            "item/report/definitionProperties/2.0.0",
            {"version": "4.0", "datasetReference": {"byPath": {"path": f"../{model}"}}},
        ),
        ".gitignore": "**/.pbi/localSettings.json\n**/.pbi/cache.abf\ndata/\n",
    }
    found |= {f"{model}/definition/{path}": text for path, text in definition.items()}
    found |= {f"{report}/{path}": content for path, content in written.items()}
    return found


def _json(schema: str, value: dict[str, Any]) -> str:
    return (
        json.dumps({"$schema": f"{SCHEMAS}{schema}/schema.json"} | value, ensure_ascii=False, indent=2) + "\n"
    )


def _platform(kind: str, name: str) -> str:
    return _json(
        "gitIntegration/platformProperties/2.0.0",
        {
            "metadata": {"type": kind, "displayName": name},
            "config": {"version": "2.0", "logicalId": str(uuid.uuid5(_SPACE, f"{name}/{kind}"))},
        },
    )


def _connection(location: str) -> dict[str, Any]:
    """Return the file that opens Power BI Desktop on the data alone."""
    if base := database(location):
        return {
            "version": "0.1",
            "connections": [
                {
                    "details": {
                        "protocol": "postgresql",
                        "address": {"server": base[0], "database": base[1]},
                    },
                    "mode": "Import",
                }
            ],
        }
    if location.startswith("https://"):
        site = "/".join(location.split("/")[:5]) if ".sharepoint.com/" in location else location
        kind = "sharepoint-folder" if ".sharepoint.com/" in location else "web"
        return {
            "version": "0.1",
            "connections": [{"details": {"protocol": kind, "address": {"url": site}}, "mode": "Import"}],
        }
    return {
        "version": "0.1",
        "connections": [{"details": {"protocol": "folder", "address": {"path": location}}, "mode": "Import"}],
    }
