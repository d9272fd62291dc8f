"""The parts of a batch, read from JSON or from multipart text."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import msgspec

from hub import tr
from hub_serve.odata.posted import SEGMENT, query_of
from hub_serve.refusals import Refused, bad, unsupported

FORMATS = ("application/json", "multipart/mixed")
MOST = 100
"""Questions of one batch."""
_ID = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@]{1,200}")
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_NOT_HERE = frozenset({"authorization", "cookie", "expect", "from", "max-forwards", "range", "te"})
"""Headers that a part must not have (part 1, 11.7.7.1)."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a batch: it is refused unseen where *refused* says so.

    *depends* are the ids and groups that have to be well before.
    """

    id: str = ""
    method: str = "GET"
    url: str = ""
    headers: dict[str, str] = {}
    group: str = ""
    depends: tuple[str, ...] = ()
    refused: Refused | None = None


class _Asked(msgspec.Struct, rename={"condition": "if"}):
    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    body: Any = None
    atomicityGroup: str = ""  # noqa: N815 - what OData calls it
    dependsOn: tuple[str, ...] = ()  # noqa: N815 - what OData calls it
    condition: Any = None


class _Batch(msgspec.Struct):
    requests: list[_Asked]


def from_json(body: bytes) -> list[Part]:
    """Return the parts of a batch in JSON. Raises `Refused`."""
    try:
        asked = msgspec.json.decode(body, type=_Batch).requests
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise _malformed(str(exc)[:200]) from exc
    parts: list[Part] = []
    known: set[str] = set()
    ids: set[str] = set()
    for one in asked:
        if not _ID.fullmatch(one.id) or one.id in known:
            raise _malformed(f"id {one.id[:40]!r}")
        if unknown := [name for name in one.dependsOn if name not in known]:
            raise bad(
                tr("The batch cannot be read: {error}.", error=f"dependsOn {unknown[0][:40]!r}"), "$batch"
            )
        if one.atomicityGroup and (one.atomicityGroup in ids or not _ID.fullmatch(one.atomicityGroup)):
            group = f"atomicityGroup {one.atomicityGroup[:40]!r}"
            raise _malformed(group)
        ids.add(one.id)
        known |= {one.id, one.atomicityGroup} - {""}
        parts.append(_part(one))
    return parts


def _malformed(what: str) -> Refused:
    return bad(tr("The batch cannot be read: {error}.", error=what), "$batch")


def _part(one: _Asked) -> Part:
    refused, method, url = None, one.method.upper(), one.url
    if one.condition is not None:
        refused = Refused(424, tr("{place}: {what} is not supported.", place="$batch", what="if"), "if")
    elif one.body is not None:
        body = one.body if isinstance(one.body, str) else json.dumps(one.body)
        kind = "text/plain" if isinstance(one.body, str) else "application/json"
        kept = _kept(one.headers)
        method, url, refused = _with_body(method, url, kept.get("content-type", kind), body.encode())
    return Part(
        id=one.id, method=method, url=url, headers=_kept(one.headers),
        group=one.atomicityGroup, depends=one.dependsOn, refused=refused or _wrong(method, url),
    )  # fmt: skip


def _with_body(method: str, url: str, kind: str, body: bytes) -> tuple[str, str, Refused | None]:
    """Return method and address of a part with a *body*, which holds its options, and why it is not asked."""
    path, _, query = url.partition("?")
    if method != "POST" or not path.endswith(SEGMENT):
        return method, url, _is_read_only(method)
    try:
        return "GET", f"{path.removesuffix(SEGMENT)}?{query_of(body, kind, query)}", None
    except Refused as exc:
        return method, url, exc


def _is_read_only(method: str) -> Refused:
    if method.upper() in {"GET", "HEAD"}:
        return bad(tr("A question has no body."), "body")
    return Refused(405, tr("This service is read only."))


def _wrong(method: str, url: str) -> Refused | None:
    """Return why a part is not asked, None where it can be."""
    if not _NAME.fullmatch(method):
        return bad(tr("{place} cannot be read: {text!r}.", place="$batch", text=method[:40]), "method")
    if re.match(r"\$(?!(?:metadata|batch|all|entity|crossjoin)\b)", url):
        what = url.partition("/")[0][:40]
        return unsupported(tr("{place}: {what} is not supported.", place="$batch", what=what), "url")
    if re.search(r"(?:^|/)(?:\$|%24)batch\b", url.partition("?")[0]):
        return bad(tr("A batch holds no batch."), "url")
    if not url.isascii() or not url.isprintable():
        return bad(tr("{place} cannot be read: {text!r}.", place="URL", text=url[:80]), "url")
    return None


def _kept(headers: dict[str, str]) -> dict[str, str]:
    lower = {key.strip().lower(): value.strip() for key, value in headers.items()}
    return {
        key: value for key, value in lower.items()
        if _NAME.fullmatch(key) and key not in _NOT_HERE and value.isprintable()
    }  # fmt: skip


def boundary_of(content_type: str) -> str:
    """Return the boundary that *content_type* names. Raises `Refused`."""
    found = re.search(r';\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', content_type, re.IGNORECASE)
    if found is None:
        raise _malformed("boundary")
    return found[1] or found[2]


def from_multipart(body: bytes, boundary: str) -> list[Part]:
    """Return the parts of a batch in multipart text. Raises `Refused`."""
    parts: list[Part] = []
    for text in _split(body, boundary):
        headers, rest = _headers(text)
        kind = headers.get("content-type", "").lower()
        if kind.startswith("multipart/mixed"):  # a change set: all of it or nothing of it
            parts.append(Part(refused=Refused(405, tr("This service is read only."))))
        elif kind.partition(";")[0].strip() != "application/http":
            raise _malformed(f"content-type {kind[:40]!r}")
        else:
            parts.append(_request(headers.get("content-id", ""), rest))
    return parts


def _split(body: bytes, boundary: str) -> list[bytes]:
    sign = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    found = [*sign.finditer(body)]
    ends = [n for n, one in enumerate(found) if one[1]]
    if not ends:
        raise _malformed(f"--{boundary}--")
    marks = found[: ends[0] + 1]
    return [body[one.end() : after.start()] for one, after in pairwise(marks)]


def _headers(text: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers at the begin of *text*, and what follows the empty line behind them."""
    lines = text.lstrip(b"\r\n").split(b"\n")
    found: dict[str, str] = {}
    for n, line in enumerate(lines):
        if not line.strip():
            return found, b"\n".join(lines[n + 1 :])
        key, _, value = line.decode("latin-1").partition(":")
        found[key.strip().lower()] = value.strip()
    return found, b""


def _request(content_id: str, text: bytes) -> Part:
    line, _, rest = text.lstrip(b"\r\n").partition(b"\n")
    headers, body = _headers(b"\n" + rest if rest.strip() else b"")
    words = line.decode("latin-1").split()
    if len(words) not in {2, 3} or (len(words) == 3 and not words[2].startswith("HTTP/")):
        shown = line.decode("latin-1").strip()[:80]
        return Part(
            refused=bad(tr("{place} cannot be read: {text!r}.", place="$batch", text=shown), "$batch")
        )
    method, url, refused = words[0].upper(), words[1], None
    if body.strip():
        method, url, refused = _with_body(method, url, headers.get("content-type", ""), body)
    return Part(
        id=content_id if _ID.fullmatch(content_id) else "", method=method, url=url,
        headers=_kept(headers), refused=refused or _wrong(method, url),
    )  # fmt: skip
