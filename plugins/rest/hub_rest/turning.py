"""How a list is turned page by page, guessed from an answer and from what may be asked with."""

from __future__ import annotations

import re
from typing import Any

from hub import tr
from hub_rest import guesses
from hub_rest.guesses import find, leaves, plain_name
from hub_rest.looked import UNSURE, Shape, text_of


def paging_of(shape: Shape) -> tuple[list[str], dict[str, str]]:
    """Return the line of the paging, with what is unsure of it, and the parameters that it asks with."""
    flat = dict(leaves(shape.answer)) if isinstance(shape.answer, dict) else {}
    if shape.where.startswith("entries("):
        inner = shape.where[8:-1]
        flat = {path: one for path, one in flat.items() if inner != "@" and not path.startswith(inner + ".")}
    by_name = {re.sub(r"[^a-z]", "", name.lower()): name for name in shape.params if shape.may_count(name)}
    unsure: list[str] = []
    told = _total(shape, flat)
    size_name = next((by_name[name] for name in guesses.SIZES if name in by_name), None)
    params = {size_name: "{size}"} if size_name else {}
    most = (shape.params.get(size_name or "") or {}).get("maximum")
    size = f", size = {most}" if type(most) is int and 0 < most < 100 else ""
    ends = _ends(flat)
    following = _following(flat)
    if "[].node" in shape.where or "pageInfo" in f"{shape.answer}"[:100_000]:
        return _graphql(flat, following, told)
    if following:
        echo = {path.rsplit(".", 1)[-1].lower(): path.rsplit(".", 1)[-1] for path in flat}
        known = echo | by_name
        line, token = _by_next(following, flat[following], by_name, known, unsure, invented=shape.is_invented)
        return [*unsure, f"paging = {{ {line}{told}{ends}{size} }}"], params | token
    if "link" in shape.headers and not (shape.is_invented and told):
        return [f'paging = {{ kind = "link"{told}{size} }}'], params
    counted, more = _counted(shape, flat, by_name, (told, ends, size))
    if counted:
        return counted, params | {name: one for name, one in more.items() if one != "{size}" or not size_name}
    return [f"{UNSURE}{tr('how the next page is asked for')}", 'paging = { kind = "none" }'], params


def _ends(flat: dict[str, Any]) -> str:
    """Return what says of a page that more follow, or that none does, as a part of the paging."""
    for path, value in flat.items():
        name = plain_name(path).rsplit(".", 1)[-1]
        if not isinstance(value, bool):
            continue
        if name in guesses.MORE or name.startswith("next"):
            return f", more = {text_of(path)}"
        if name in guesses.ENDED:
            return f", end = {text_of(path)}"
    return ""


def _counted(
    shape: Shape, flat: dict[str, Any], by_name: dict[str, str], parts: tuple[str, str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the paging by number or by offset, with its parameters: those that there are, or those told.

    *parts* are its total, its end and its size.
    """
    told, ends, size = parts
    echo = {path.rsplit(".", 1)[-1].strip('"'): value for path, value in flat.items()}
    asked = {
        kind: next((by_name[one] for one in names if one in by_name), "")
        for kind, names in (("page", guesses.PAGES), ("offset", guesses.OFFSETS))
    }
    kind = next((kind for kind, name in asked.items() if name), "")
    unsure: list[str] = []
    params = {asked[kind]: f"{{{kind}}}"} if kind else {}
    first = None if shape.is_invented else echo.get(find(guesses.PAGES, echo))
    if not kind:
        unsure = [f"{UNSURE}{tr('by which parameter the next page is asked for')}"]
        page, offset, limit = (
            find(names, echo) for names in (guesses.PAGES, guesses.OFFSETS, guesses.SIZES[:-1])
        )
        if page or ends:
            kind, name = "page", page or "page"
        elif offset:  # one that begins at 1 counts pages
            kind, name = ("page" if echo[offset] == 1 else "offset"), offset
        elif re.search(r"odata|__count", " ".join(flat)):
            kind, name, limit = "offset", "$skip", "$top"
        else:
            return [], {}
        params = {name: f"{{{kind}}}"} | ({limit: "{size}"} if limit else {})
    begins = ", first = 0" if kind == "page" and first == 0 else ""
    proof = told + ends or (", twice = true" if kind == "page" else "")
    return [*unsure, f'paging = {{ kind = "{kind}"{begins}{proof}{size} }}'], params


def _total(shape: Shape, flat: dict[str, Any]) -> str:
    """Return where the number of rows stands, as a part of the paging; a count of the page is none."""
    for name in guesses.TOTALS.split():
        for path, value in flat.items():
            is_number = (type(value) is int) or (isinstance(value, str) and value.isdecimal())
            may_be_page = name == "count" and not path.endswith("__count")
            if plain_name(path).rsplit(".", 1)[-1] != name or not (is_number or shape.is_invented):
                continue
            if shape.is_invented and may_be_page:
                continue
            count = len(shape.rows)
            if not shape.is_invented and (int(value) < count or (may_be_page and int(value) == count)):
                continue
            return f", total = {text_of(path)}"
    header = next(
        (one for one in ("X-Total-Count", "X-Total", "Total-Count") if one.lower() in shape.headers), ""
    )
    return f', total = "header:{header}"' if header else ""


def _following(flat: dict[str, Any]) -> str:
    """Return where the next page is named; empty for nowhere."""
    found = []
    for path, value in flat.items():
        names = plain_name(path).split(".")
        if isinstance(value, bool) or (
            names[-1] not in guesses.NEXT and not any(one.startswith(("next", "odatanext")) for one in names)
        ):
            continue
        found.append((value is None, len(path), path))
    return min(found)[2] if found else ""


def _by_next(
    path: str,
    value: Any,
    by_name: dict[str, str],
    known: dict[str, str],
    unsure: list[str],
    *,
    invented: bool,
) -> tuple[str, dict[str, str]]:
    """Return the paging by what an answer names as next: an address, or a token with its parameter."""
    last = plain_name(path).rsplit(".", 1)[-1]
    is_address = isinstance(value, str) and value.startswith(("http://", "https://", "/", "?"))
    says_address = bool(re.search(r"link|url|uri|href", last)) or plain_name(path) == "next" != path
    says_token = bool(re.search(r"page$|token|cursor|offset|start|key$", last))
    name = _token_param(last, by_name)
    if is_address or says_address or (not says_token and (value is None or invented) and name is None):
        if not is_address and not says_address:
            unsure.append(f"{UNSURE}{tr('whether an address or a token stands at {path}', path=path)}")
        return f'kind = "next", next = {text_of(path)}', {}
    if name is None:
        unsure.append(f"{UNSURE}{tr('by which parameter the next page is asked for')}")
    bare = re.sub(r"^next_?", "", path.rsplit(".", 1)[-1].strip('"')).strip("_") or "cursor"
    name = name or known.get(re.sub(r"^page_?", "", bare.lower())) or bare[0].lower() + bare[1:]
    return f'kind = "token", next = {text_of(path)}', {name: "{token}"}


def _token_param(last: str, by_name: dict[str, str]) -> str | None:
    """Return the parameter that takes what an answer calls *last*: the one that is called alike, at best."""
    alike = re.sub(r"^next", "", last)
    order = [alike] if alike else []
    if "page" in last and "token" not in last and "cursor" not in last:
        order += ["page", "pagenumber"]
    order += [*guesses.TOKENS, "offset"]
    return next((by_name[one] for one in order if one in by_name), None)


def _graphql(flat: dict[str, Any], following: str, told: str) -> tuple[list[str], dict[str, str]]:
    """Return how a connection of GraphQL is paged: by a variable of the query, in the body."""
    more = next((path for path, one in flat.items() if plain_name(path).endswith("hasnextpage")), "")
    next_ = following or "data.pageInfo.endCursor"
    ends = f", more = {text_of(more)}" if more else ""
    return [
        'method = "POST"',
        f"{UNSURE}{tr('the query: it asks for each field that stands below, and takes $after')}",
        'body = { query = "query($after: String) { … }", variables = { after = "{token}" } }',
        f'paging = {{ kind = "token", next = {text_of(next_)}{ends}{told} }}',
    ], {}
