"""The provisioning files around the dashboards: the data source, their folder, the alert rules."""

from __future__ import annotations

from typing import Any

import msgspec
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.expr import (
    ExprTypeThresholdConditions,
    ExprTypeThresholdConditionsEvaluator,
    TypeThreshold,
)

from hub import Lang, mark, speaking, tr
from hub_grafana.dashboards import SOURCE_TYPE, UID, query_model
from hub_grafana.queries import sql_of

EVERY = "5m"
"""How often Grafana asks the alert rules: a feed changes a few times a day, an age all the time."""


class Alert(msgspec.Struct, frozen=True):
    """An alert rule: the *query* that is 1 where it fires, its *title* and what it says, with ``.Labels``."""

    query: str
    title: str
    summary: str
    action: str


ALERTS = (
    Alert(
        "alert_stale", mark("A source is stale"),
        mark("{{ .Labels.source }}: its last complete sync is older than it may be."),
        mark("Look at the schedule and at `hub status`; figures stand as they were."),
    ),
    Alert(
        "alert_partial", mark("A source was not read whole"),
        mark("{{ .Labels.source }}: its last run was not complete."),
        mark("`hub status` says what is missing, `hub rejections` which rows could not be taken."),
    ),
    Alert(
        "alert_red", mark("A project turned red"),
        mark("{{ .Labels.project }}: the figures say red, and did not at the previous cut."),
        mark("The project's page says which figure crossed its limit."),
    ),
)  # fmt: skip


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where Grafana reaches PostgreSQL, as whom, and the variable of its environment with the password."""

    host: str
    port: int
    database: str
    user: str
    password_env: str
    ca: str | None

    @property
    def is_here(self) -> bool:
        """Say whether the server is on Grafana's own machine, where nothing needs encryption."""
        return self.host.startswith("127.") or self.host in {"localhost", "::1"}


def datasource(address: Address) -> bytes:
    """Return the data source's file; the password stays in Grafana's environment.

    Connections to another machine are encrypted and its certificate is verified.
    """
    host = f"[{address.host}]" if ":" in address.host else address.host
    secured: dict[str, Any] = {"sslmode": "disable" if address.is_here else "verify-full"}
    if address.ca and not address.is_here:
        secured |= {"tlsConfigurationMethod": "file-path", "sslRootCertFile": _plain(address.ca)}
    return _yaml(
        {
            "apiVersion": 1,
            "datasources": [
                {
                    "name": UID,
                    "uid": UID,
                    "type": SOURCE_TYPE,
                    "access": "proxy",
                    "url": _plain(f"{host}:{address.port}"),
                    "user": _plain(address.user),
                    "jsonData": {"database": _plain(address.database), **secured},
                    "secureJsonData": {"password": f"${{{address.password_env}}}"},
                    "editable": False,
                }
            ],
        }
    )


def provider(folder: str) -> bytes:
    """Return the file that says where the dashboards lie: *folder*, as Grafana sees it."""
    return _yaml(
        {
            "apiVersion": 1,
            "providers": [
                {
                    "name": UID,
                    "orgId": 1,
                    "folder": UID,
                    "type": "file",
                    "disableDeletion": False,
                    "allowUiUpdates": False,
                    "updateIntervalSeconds": 30,
                    "options": {"path": _plain(folder)},
                }
            ],
        }
    )


def alerting(*, lang: Lang, schema: str) -> bytes:
    """Return the file of the alert rules, in *lang*, asking the tables of *schema*."""
    with speaking(lang):
        rules = [_rule(one, lang, schema) for one in ALERTS]
    group = {"orgId": 1, "name": UID, "folder": UID, "interval": EVERY, "rules": rules}
    return _yaml({"apiVersion": 1, "groups": [group]})


def _rule(one: Alert, lang: Lang, schema: str) -> dict[str, Any]:
    """Return a rule: A asks, a row a source or project; B says which rows are above zero.

    Texts say ``{{ .Labels.x }}`` rather than ``$labels``: files of provisioning take a dollar for a variable.
    """
    above = ExprTypeThresholdConditionsEvaluator(params=[0.0], type_val="gt")
    threshold = TypeThreshold(
        ref_id="B",
        datasource=DataSourceRef(type_val="__expr__", uid="__expr__"),
        expression="A",
        conditions=[ExprTypeThresholdConditions(evaluator=above)],
    )
    asked = query_model(sql_of(one.query, schema=schema, lang=lang), "table")
    recent = {"from": 600, "to": 0}
    return {
        "uid": f"{UID}-{one.query.removeprefix('alert_')}",
        "title": tr(one.title),
        "condition": "B",
        "data": [
            {"refId": "A", "relativeTimeRange": recent, "datasourceUid": UID, "model": asked},
            {
                "refId": "B",
                "relativeTimeRange": recent,
                "datasourceUid": "__expr__",
                "model": msgspec.json.decode(JSONEncoder().encode(threshold)),
            },
        ],
        "noDataState": "OK",
        "execErrState": "Error",
        "for": "0s",
        "annotations": {"summary": tr(one.summary), "description": tr(one.action)},
        "labels": {"origin": UID},
        "isPaused": False,
    }


def _plain(text: str) -> str:
    """Return *text* so that Grafana puts no variable of its environment in it."""
    return text.replace("$", "$$")


def _yaml(value: object) -> bytes:
    return msgspec.yaml.encode(value)
