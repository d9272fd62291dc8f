"""What `hub rest try` and `hub rest suggest` do."""

from __future__ import annotations

import json
import os
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hub import ConfigError, Context, Network, Secret, tr
from hub_rest.guesses import OFFSETS, PAGES, SINCE, SIZES, TOKENS
from hub_rest.looked import Shape, Tool
from hub_rest.openapi import tool_of
from hub_rest.source import RestSource
from hub_rest.suggest import mapping_of
from hub_rest.trying import lines
from hub_rest.yamls import LARGEST, read_yaml

_OF_PAGES = frozenset({*SIZES, *TOKENS, *PAGES, *OFFSETS, *SINCE.split()})
_COUNTS = frozenset({"x-total-count", "x-total", "total-count"})
_MOST = 20
"""Lists of an OpenAPI that a first mapping holds."""


def show_first_pages(
    app: Any,
    mapping: str,
    *,
    only: str | None,
    url: str | None,
    token_env: str | None,
    params: tuple[str, ...],
) -> int:
    """Print what the first page of each list of a mapping becomes; nothing is stored."""
    source = _source(app, mapping, url, token_env, params)
    network, base = (app.settings.engine.network, app.settings.base) if url is None else (Network(), Path())
    ctx = Context(base=base, source_id=source.name, session=lambda: network.session(patience_s=30.0))
    try:
        for line in lines(ctx, source, only):
            app.say(line)
    finally:
        ctx.close()
    return 0


def _source(
    app: Any, mapping: str, url: str | None, token_env: str | None, params: tuple[str, ...]
) -> RestSource:
    """Return the source that has the mapping, or the one that the options describe."""
    if url is None:
        known = [one for one in app.settings.sources.values() if isinstance(one, RestSource)]
        found = [one for one in known if one.name == mapping] or [
            one for one in known if one.mapping == mapping
        ]
        if found:
            return found[0]
        raise ConfigError(
            tr(
                "No source has the mapping {mapping}: name its address with --url, or add a source.",
                mapping=mapping,
            )
        )
    token = Secret("env", token_env, Path()) if token_env else None
    given = dict(one.split("=", 1) for one in params if "=" in one)
    return RestSource(name="try", url=url, mapping=mapping, token=token, app_token=token, params=given)


def suggestion(target: str, *, title: str | None, headers: tuple[str, ...], only: str | None) -> str:
    """Return a first mapping of what *target* is: an address, an OpenAPI description, an answer in a file.

    Raises `ConfigError` for what is none of these.
    """
    if target.startswith(("http://", "https://")):
        answer, told = _asked(target, headers)
        parts = urlsplit(target)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        paged = {name for name in asked if re.sub(r"[^a-z]", "", name.lower()) in _OF_PAGES}
        shape = Shape(
            parts.path or "/",
            answer,
            {name: {} for name in paged},
            told,
            fixed={name: value for name, value in asked.items() if name not in paged},
        )
        tool = Tool(title or parts.hostname or "tool", url=f"{parts.scheme}://{parts.netloc}")
    else:
        answer = _read(Path(target))
        shape = Shape(f"/{Path(target).stem.partition('.')[0]}", answer)
        shape.is_of_file = True
        tool = Tool(title or Path(target).stem)
    tool.shapes = [shape]
    if isinstance(answer, dict) and (answer.get("openapi") or answer.get("swagger")):
        tool = tool_of(answer, only, title)
        tool.left_out += [one.path for one in tool.shapes[_MOST:]]
        tool.shapes = tool.shapes[:_MOST]
    if not any(one.flat for one in tool.shapes):
        raise ConfigError(
            tr("{target} holds no list of objects, of which a mapping could be made.", target=target)
        )
    return mapping_of(tool)


def _asked(url: str, headers: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    sent = {}
    for one in headers:
        name, _, variable = one.partition("=")
        if variable not in os.environ:
            raise ConfigError(tr("The environment has no variable {variable}.", variable=variable))
        sent[name] = os.environ[variable]
    ctx = Context(base=Path(), source_id="suggest", session=lambda: Network().session(patience_s=30.0))
    try:
        ctx.http.credentials = sent
        answer, response = ctx.http.answer("GET", url, headers={"Accept": "application/json"})
    finally:
        ctx.close()
    counted = tuple(name.lower() for name in response.headers if name.lower() in _COUNTS)
    return answer, (*counted, "link") if response.links.get("next") else counted


def _read(path: Path) -> Any:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise ConfigError(tr("{path} cannot be read ({reason}).", path=path, reason=exc.strerror)) from exc
    if len(raw) > LARGEST:
        raise ConfigError(
            tr("{path} has more than {most} MB: it was not read.", path=path, most=LARGEST // 1_000_000)
        )
    try:
        return json.loads(raw)  # which knows UTF-8 and UTF-16, with their marks and without
    except (ValueError, RecursionError) as exc:
        why = exc
    try:
        text = raw.decode("utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigError(tr("{path} is neither JSON nor YAML ({error}).", path=path, error=exc)) from exc
    if path.suffix.lower() == ".json" or text.lstrip().startswith(("{", "[", "<")):
        raise ConfigError(tr("{path} is no JSON ({error}).", path=path, error=why))
    return read_yaml(text, str(path))
