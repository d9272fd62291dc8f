"""What of a site changes without touching an issue: statuses, sprints, versions, people, objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec

from hub import SourceDataError, SourceGone, check_names, mark, tr
from hub_jira import wire
from hub_jira.site import ISSUES, Site, together
from hub_jira.wire import API

PEOPLE, AGILE = 90, "/rest/agile/1.0"
_decoder = msgspec.json.Decoder
_RAW, _LISTS, _BOARDS, _SPRINTS, _USERS, _PERSON, _STATUSES, _OBJECTS, _NAMED, _LINK_TYPES = (
    _decoder(msgspec.Raw), _decoder(wire.Lists), _decoder(wire.Boards), _decoder(wire.Sprints),
    _decoder(wire.Users), _decoder(wire.Person), _decoder(list[wire.Status]), _decoder(wire.Objects),
    _decoder(list[wire.Named]), _decoder(wire.LinkTypes),
)  # fmt: skip


def name_objects(site: Site, wanted: Iterable[str]) -> None:
    """Learn what objects of Assets are called; Cloud tells only their ids with an issue."""
    spaces: dict[str, list[str]] = {}
    for one in sorted(set(wanted) - site.objects.keys()):
        space, _, native = one.partition(":")
        if native.isdigit():
            spaces.setdefault(space, []).append(native)
    for space, natives in spaces.items():
        for start in range(0, len(natives), ISSUES):
            part = natives[start : start + ISSUES]
            url = f"{site.gateway}/jsm/assets/workspace/{quote(space, safe='')}/v1/object/aql"
            found: wire.Objects = site.ctx.http.json(
                "POST", f"{url}?startAt=0&maxResults={len(part)}&includeAttributes=false",
                decoder=_OBJECTS, json={"qlQuery": f"objectId IN ({', '.join(part)})"},
            )  # fmt: skip
            site.objects.update((f"{space}:{one.id}", one.label) for one in found.values)


def statuses(site: Site) -> list[wire.Status]:
    """Return every status with its category."""
    found: list[wire.Status] = site.get("/status", _STATUSES)
    return found


def called(site: Site, path: Literal["priority", "resolution"]) -> dict[str, str]:
    """Return what all priorities, or resolutions, are called, by their ids.

    Also on Cloud by the list that is one page: that by pages asks for the right to configure the site.
    """
    found: list[wire.Named] = site.get(f"/{path}", _NAMED)
    return {one.id: one.name for one in found}


def link_types(site: Site) -> dict[str, str]:
    """Return what all kinds of links are called, by their ids."""
    found: wire.LinkTypes = site.get("/issueLinkType", _LINK_TYPES)
    return {one.id: one.name for one in found.issue_link_types}


def lists(site: Site, projects: Sequence[str]) -> Iterator[wire.Lists]:
    """Yield the versions and components of projects, four at once; one that is refused costs itself."""

    def ask(one: str) -> list[wire.Lists]:
        found = []
        with site.ctx.looking_at(mark("versions and components")):
            found.append(site.get(f"/project/{one}", _LISTS))
        return found

    for start in range(0, len(projects), 4):
        part = projects[start : start + 4]
        for found in together(*(lambda one=one: ask(one) for one in part)):
            yield from found


def sprints(site: Site) -> Iterator[list[wire.Sprint]]:
    """Yield the sprints of every board that has some, closed ones among them."""
    boards: list[wire.Board] = []
    while True:
        page: wire.Boards = _agile(site, "/board", _BOARDS, len(boards))
        boards += page.values
        if page.is_last or not page.values:
            break
    for board in boards:
        if board.type == "kanban":
            continue
        start = 0
        while True:
            found = _sprints(site, f"/board/{board.id}/sprint", start)
            if found is None:
                break
            yield found.values
            start += len(found.values)
            if found.is_last or not found.values:
                break


def _sprints(site: Site, path: str, start: int) -> wire.Sprints | None:
    """Return a page of the sprints of a board; None where it is refused, or its team plans none: HTTP 400."""
    params, url = {"startAt": start, "maxResults": 50}, f"{site.base}{AGILE}{path}"
    found: wire.Sprints | None = None
    with site.ctx.looking_at(mark("sprints")):
        raw, answer = site.ctx.http.answer("GET", url, params=params, decoder=_RAW, also={400})
        try:
            found = None if answer.status_code == 400 else _SPRINTS.decode(raw)
        except msgspec.ValidationError as exc:
            raise SourceDataError(
                tr("{path} answered JSON of another shape than documented: {error}.", path=path, error=exc)
            ) from exc
    return found


def _agile(site: Site, path: str, decoder: Any, start: int) -> Any:
    params = {"startAt": start, "maxResults": 50}
    return site.ctx.http.get_json(f"{site.base}{AGILE}{path}", params=params, decoder=decoder)


def _person(row: msgspec.Raw) -> wire.Person:
    found: wire.Person = _PERSON.decode(row)
    for name in ("account_id", "account_type", "display_name", "active"):
        if getattr(found, name) is None:  # of what privacy may hide nothing else is always there
            raise SourceDataError(tr("Jira leaves out {name} of a person.", name=name))
    if found.email_address is None or found.time_zone is None:
        check_names(row, ("emailAddress", "timeZone"))
    return found


def people(site: Site, natives: Sequence[str]) -> Iterator[list[wire.Person]]:
    """Yield people by their ids, as they are called now; one who was erased is left out."""
    if site.cloud:
        for start in range(0, len(natives), PEOPLE):
            part = natives[start : start + PEOPLE]
            asked = urlencode([("maxResults", len(part)), *(("accountId", one) for one in part)])
            url = f"{site.base}{API}/user/bulk?{asked}"
            found: wire.Users = site.ctx.http.get_json(url, decoder=_USERS)
            yield [_person(row) for row in found.values]
        return
    for native in natives:
        try:
            yield [site.get("/user", _PERSON, key=native)]
        except SourceGone:
            continue
