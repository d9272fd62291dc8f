"""A workspace of Power BI: the model and the report brought there, refreshed, and read back.

Sources: learn.microsoft.com/rest/api/fabric (semantic models, reports, long-running operations), the Power BI
REST API's own specification (refreshes, executeQueries: eight refreshes a day on shared capacity, one at a
time).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hub import DeliveryDenied, DeliveryError, FeedView, mark, model, tr
from hub_powerbi.content import Content, in_bytes
from hub_powerbi.names import Names
from hub_powerbi.service.web import Web

POWERBI = "https://analysis.windows.net/powerbi/api"
FABRIC = "https://api.fabric.microsoft.com"
QUOTA = 8
POLL_S = 10.0
TRIES = 3
_DAY_ZERO = 25569
"""1970-01-01 as a day of Power BI, whose first is 1899-12-30."""
_TOLERANCE = 2 / 86400
OURS, FOREIGN = mark("the refresh"), mark("a refresh that others began")
_REASONS = {
    "ModelRefreshFailed_CredentialsNotSpecified": mark(
        "the model has no credentials for the files: in the service, open its settings, Data "
        "source credentials, and sign in once"
    ),
    "DMTS_DatasourceHasNoCredentialError": mark(
        "the model has no credentials for the files: in the service, open its settings, Data "
        "source credentials, and sign in once"
    ),
    "ModelRefreshFailed_ConnectionNotConfigured": mark(
        "the files are not reachable from the service: give an address in SharePoint or "
        "OneLake, or set up a gateway"
    ),
    "DM_GWPipeline_Client_GatewayUnreachable": mark("the gateway cannot be reached"),
}


class Workspace:
    """The workspace *native* of the service.

    *fabric* asks for items and *powerbi* for refreshes and queries, at the addresses *fabric_url* and
    *powerbi_url*.

    What takes longer than *wait_minutes* there is an error.
    """

    def __init__(
        self,
        fabric: Web,
        powerbi: Web,
        native: str,
        *,
        fabric_url: str,
        powerbi_url: str,
        wait_minutes: float = 120.0,
    ) -> None:
        """Ask nothing yet."""
        self.fabric, self.powerbi, self.native, self.wait_minutes = fabric, powerbi, native, wait_minutes
        self.items = f"{fabric_url.rstrip('/')}/v1"
        self.datasets = f"{powerbi_url.rstrip('/')}/v1.0/myorg/groups/{native}/datasets"

    # ---------- the model and the report ----------

    def find(self, kind: Literal["semanticModels", "reports"], name: str) -> str | None:
        """Return the id of an item by its name. Raises `DeliveryError` where several have it."""
        found: list[str] = []
        params: dict[str, str] | None = None
        more: set[str] = set()
        while True:
            answer = self.fabric.json(
                "GET", f"{self.items}/workspaces/{self.native}/{kind}", params=params, route=kind
            )
            found += [one["id"] for one in answer["value"] if one["displayName"] == name]
            token = answer.get("continuationToken")
            if not token or token in more:
                break
            more.add(token)
            params = {"continuationToken": token}
        if len(found) > 1:
            raise DeliveryError(
                tr(
                    "The workspace has {count} {kind} named {name}: rename or delete all but one.",
                    count=len(found),
                    kind=kind,
                    name=name,
                )
            )
        return found[0] if found else None

    def bring(
        self, kind: Literal["semanticModels", "reports"], name: str, files: Mapping[str, Content]
    ) -> str:
        """Make an item of *files*, or set its definition, and return its id."""
        parts = [
            {
                "path": path,
                "payload": base64.b64encode(in_bytes(content)).decode(),
                "payloadType": "InlineBase64",
            }
            for path, content in sorted(files.items())
        ]
        place, native = f"{self.items}/workspaces/{self.native}/{kind}", self.find(kind, name)
        if native is None:
            made = self._operate(
                place, {"displayName": name, "definition": {"parts": parts}}, f"{kind}: create"
            )
            native = (made or {}).get("id") or self.find(kind, name)
            if native is None:
                raise DeliveryError(
                    tr("The workspace took {name} and does not show it: publish again.", name=name)
                )
        else:
            self._operate(
                f"{place}/{native}/updateDefinition", {"definition": {"parts": parts}}, f"{kind}: update"
            )
        return str(native)

    def _operate(self, address: str, body: dict[str, Any], route: str) -> dict[str, Any] | None:
        """Start a long-running operation and wait for its end."""
        response = self.fabric.request("POST", address, json=body, route=route)
        if response.status_code != 202:
            return dict(response.json()) if response.content else None
        native = (
            response.headers.get("x-ms-operation-id")
            or response.headers.get("Location", "").rpartition("/")[2]
        )
        operation = f"{self.items}/operations/{native}"
        waited = 0.0
        while waited < self.wait_minutes * 60:
            pause = _wait_s(response)
            self.fabric.session.pause(pause)
            waited += pause
            answer, response = self.fabric.answer("GET", operation, route="operation")
            if answer["status"] == "Succeeded":
                result = self.fabric.request(
                    "GET", f"{operation}/result", route="operation result", also={400, 404}
                )
                return dict(result.json()) if result.ok and result.content else None
            if answer["status"] in {"Failed", "Undefined"}:
                error = answer.get("error") or {}
                raise DeliveryError(
                    tr(
                        "Fabric refused {route}: {error}.",
                        route=route,
                        error=error.get("message") or error.get("errorCode") or tr("it does not say why"),
                    )
                )
        raise DeliveryError(
            tr(
                "Fabric has not ended {route} within {wait_minutes:g} minutes; it goes on there. "
                "Publish again later, or raise wait_minutes.",
                route=route,
                wait_minutes=self.wait_minutes,
            )
        )

    # ---------- the refresh ----------

    def refresh(self, native: str, *, enhanced: bool, now: datetime) -> str:
        """Refresh a model and wait for the end; say how long it took.

        Raises `DeliveryError` when it fails, when the refreshes of the day are used up, and when it takes too
        long.
        """
        place = f"{self.datasets}/{native}/refreshes"
        body = (
            {"type": "Full", "commitMode": "Transactional"}
            if enhanced
            else {"notifyOption": "NoNotification"}
        )
        for _ in range(TRIES):
            history = self._history(place)
            if running := next((one for one in history if _runs(one)), None):
                self._wait(place, running["requestId"], said=FOREIGN)
                continue
            if not enhanced:
                self._must_be_left(history, now)
            response = self.powerbi.request("POST", place, json=body, route="refresh", also={400, 409})
            if response.status_code == 202:
                known = {one.get("requestId") for one in history}
                native_refresh = response.headers.get("x-ms-request-id") if enhanced else None
                return self._end(place, native_refresh, known)
            said = response.text[:500]
            if "InProgress" in said or response.status_code == 409:
                self.powerbi.session.pause(POLL_S)
                continue
            hint = (
                tr(' Enhanced refresh needs a Premium, PPU or Fabric capacity: set refresh = "plain".')
                if enhanced
                else ""
            )
            raise DeliveryError(
                tr("Power BI refused the refresh: {said}.{hint}", said=_said(response), hint=hint)
            )
        raise DeliveryError(
            tr("Power BI was refreshing the model each time, {tries} times: publish later.", tries=TRIES)
        )

    def _history(self, place: str) -> list[dict[str, Any]]:
        return list(self.powerbi.json("GET", place, params={"$top": "60"}, route="refreshes")["value"])

    def _must_be_left(self, history: list[dict[str, Any]], now: datetime) -> None:
        starts = sorted(
            _instant(one["startTime"])
            for one in history
            if one.get("startTime") and one.get("refreshType") != "ViaXmlaEndpoint"
        )
        used = [start for start in starts if start > now - timedelta(days=1)]
        if len(used) >= QUOTA:
            free = used[len(used) - QUOTA] + timedelta(days=1)
            raise DeliveryError(
                tr(
                    "The {quota} refreshes that Power BI allows in a day are used up, scheduled ones "
                    "included: the next is free at {free:%Y-%m-%d %H:%M} UTC. The files are there; "
                    'publish less often, or use a capacity and refresh = "enhanced".',
                    quota=QUOTA,
                    free=free,
                )
            )

    def _end(self, place: str, native: str | None, known: set[Any]) -> str:
        if native is None:  # a plain refresh tells no id: it is the one that was not there before
            for _ in range(TRIES):
                fresh = [one["requestId"] for one in self._history(place) if one["requestId"] not in known]
                if fresh:
                    return self._wait(place, fresh[0], said=OURS)
                self.powerbi.session.pause(POLL_S)
            raise DeliveryError(
                tr("Power BI took the refresh and does not show it: look into the model's refresh history.")
            )
        return self._wait(place, native, said=OURS)

    def _wait(self, place: str, native: str, *, said: str) -> str:
        waited = 0.0
        while True:
            entry = next((one for one in self._history(place) if one.get("requestId") == native), {})
            if entry and not _runs(entry):
                if entry["status"] != "Completed" and said != FOREIGN:
                    raise DeliveryError(
                        tr(
                            "Power BI did not refresh the model ({status}): {reason}.",
                            status=entry["status"],
                            reason=_reason(entry),
                        )
                    )
                return tr("{refresh} took {seconds:.0f} s", refresh=tr(said), seconds=_seconds(entry))
            if waited >= self.wait_minutes * 60:
                raise DeliveryError(
                    tr(
                        "Power BI has not ended {refresh} within {wait_minutes:g} minutes; it goes on there. "
                        "Publish again later, or raise wait_minutes.",
                        refresh=tr(said),
                        wait_minutes=self.wait_minutes,
                    )
                )
            self.powerbi.session.pause(POLL_S)
            waited += POLL_S

    # ---------- what it shows ----------

    def must_show(self, native: str, feed: FeedView, *, read_as: str | None) -> int:
        """Compare rows and newest days of each table with the feed, and return the number of rows.

        Raises `DeliveryError` where the service shows others.
        """
        names = Names(feed.lang)
        wanted, asked = {}, []
        for table in names.tables:
            wanted[f"{table} rows"] = float(
                feed.connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            )
            asked.append(f'"{table} rows", COUNTROWS({names.table(table)})')
            newest = next(
                (
                    name
                    for name, column in model().tables[table].columns.items()
                    if column.type in {"DATE", "TIMESTAMPTZ"}
                ),
                None,
            )
            if newest:
                ((last,),) = feed.connection.execute(f"SELECT epoch(max({newest})) FROM {table}").fetchall()
                wanted[f"{table} newest"] = last / 86400 + _DAY_ZERO if last is not None else 0.0
                asked.append(f'"{table} newest", CONVERT(MAX({names.column(table, newest)}), DOUBLE)')
        body: dict[str, Any] = {
            "queries": [{"query": f"EVALUATE ROW({', '.join(asked)})"}],
            "serializerSettings": {"includeNulls": True},
        }
        if read_as:
            body["impersonatedUserName"] = read_as
        try:
            answer = self.powerbi.json(
                "POST", f"{self.datasets}/{native}/executeQueries", json=body, route="executeQueries"
            )
            (row,) = answer["results"][0]["tables"][0]["rows"]
            shown = {name.strip("[]"): float(value or 0) for name, value in row.items()}
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as exc:
            raise DeliveryError(
                tr(
                    "Power BI answered the question what it shows in no known form ({error_type}): "
                    "nothing is said to be published.",
                    error_type=type(exc).__name__,
                )
            ) from exc
        except DeliveryDenied:
            raise
        except DeliveryError as exc:
            raise DeliveryError(
                tr(
                    "The model is refreshed, and Power BI does not let it be read back: {error} A "
                    "service principal cannot ask a model with roles: name somebody who may see "
                    "everything in read_as, and let the tenant setting 'Dataset Execute Queries REST "
                    "API' be on.",
                    error=exc,
                )
            ) from exc
        for name, value in wanted.items():
            table, what = name.split(" ")
            if abs(shown.get(name, 0.0) - value) > (_TOLERANCE if what == "newest" else 0):
                other = (
                    tr("{shown:g} rows where the feed has {value:g}", shown=shown.get(name, 0), value=value)
                    if what == "rows"
                    else tr("another newest day than the feed")
                )
                raise DeliveryError(
                    tr(
                        "Power BI shows {other} in {table}: it read other files, or refreshes only the last "
                        "months. Nothing is said to be published.",
                        other=other,
                        table=table,
                    )
                )
        return round(sum(value for name, value in wanted.items() if name.endswith(" rows")))


def report_files(files: Mapping[str, Content], model_id: str) -> dict[str, Content]:
    """Return the files of a report with the model by its id: the service knows no paths."""
    place = json.loads(files["definition.pbir"])
    place["datasetReference"] = {"byConnection": {"connectionString": f"semanticmodelid={model_id}"}}
    return dict(files) | {"definition.pbir": json.dumps(place, ensure_ascii=False, indent=2) + "\n"}


def _wait_s(response: Any) -> float:
    """Return how long to wait until the next question, in seconds, as the service asks."""
    try:
        return min(max(float(response.headers["Retry-After"]), 1.0), 600.0)
    except (KeyError, ValueError):
        return POLL_S


def _runs(entry: Mapping[str, Any]) -> bool:
    return entry.get("status") == "Unknown" and not entry.get("endTime")


def _reason(entry: Mapping[str, Any]) -> str:
    """Return why a refresh failed, in words where its code is known."""
    try:
        said = json.loads(entry.get("serviceExceptionJson") or "{}")
    except ValueError:
        said = {}
    code = str(said.get("errorCode") or "")
    return (
        tr(_REASONS[code])
        if code in _REASONS
        else str(said.get("errorDescription") or code or tr("its refresh history says more"))
    )


def _said(response: Any) -> str:
    try:
        error = response.json().get("error") or {}
        return str(error.get("message") or error.get("code") or response.status_code)[:300]
    except (ValueError, AttributeError):
        return f"HTTP {response.status_code}"


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _seconds(entry: Mapping[str, Any]) -> float:
    if not entry.get("startTime") or not entry.get("endTime"):
        return 0.0
    return (_instant(entry["endTime"]) - _instant(entry["startTime"])).total_seconds()
