"""What `hub rest try` and `hub rest suggest` do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hub import ConfigError, Context, Network, Secret, tr
from hub_rest.source import RestSource
from hub_rest.suggest import Shape, mapping_of, shapes_of_openapi
from hub_rest.trying import lines

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
    path, params, told = target, (), ()  # type: str, tuple[str, ...], tuple[str, ...]
    if target.startswith(("http://", "https://")):
        answer, told = _asked(target, headers)
        parts = urlsplit(target)
        path, params = parts.path, tuple(name for name, _ in parse_qsl(parts.query))
        name = title or parts.hostname or "tool"
    else:
        answer = _read(Path(target))
        path, name = f"/{Path(target).stem.partition('.')[0]}", title or Path(target).stem
    if isinstance(answer, dict) and (answer.get("openapi") or answer.get("swagger")):
        shapes = [one for one in shapes_of_openapi(answer) if only is None or only in one.path][:_MOST]
        info = answer.get("info")
        name = title or (info.get("title") if isinstance(info, dict) else None) or name
    else:
        shapes = [Shape(path, answer, params, told)]
    if not any(one.row for one in shapes):
        raise ConfigError(
            tr("{target} holds no list of objects, of which a mapping could be made.", target=target)
        )
    return mapping_of(f"{name}", shapes)


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
    return answer, ("link",) if response.links.get("next") else ()


def _read(path: Path) -> Any:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise ConfigError(tr("{path} cannot be read ({reason}).", path=path, reason=exc.strerror)) from exc
    try:
        return json.loads(raw)  # which knows UTF-8 and UTF-16, with their marks and without
    except ValueError as exc:
        raise ConfigError(
            tr(
                "{path} is no JSON ({error}). An OpenAPI in YAML is to be turned into JSON first.",
                path=path,
                error=exc,
            )
        ) from exc
