"""What links are based on, in the reader's language; the store keeps it in English."""

from __future__ import annotations

import re

from hub.words import mark, tr

_METHODS = (
    mark("employee_no"), mark("email"), mark("email+alias"), mark("login"), mark("name"), mark("manual"),
    mark("same identifier"), mark("same name"), mark("code in name"), mark("same name in the same project"),
    mark("like name"), mark("url"), mark("field"), mark("key in name"),
)  # fmt: skip
_EVIDENCE = (
    mark("same employee no {shown}"), mark("same email {shown}"), mark("same email+alias {shown}"),
    mark("same login {shown}"), mark("same name {shown}"),
    mark("named in accounts.csv"),
    mark("these accounts share an exact identifier"),
    mark("no line of project_links.csv takes it"),
    mark("both are called {title}"),
    mark("a field of the plan says {text}"),
    mark("its name holds {key}"),
    mark("{title} reads like {other}"),
)  # fmt: skip
_OF_SEVERAL = re.compile(r"(?P<said>.+), which (?P<count>\d+) people have")
_KINDS = (mark("person"), mark("task"), mark("container"))
"""What a link is about."""


def spoken_method(method: str) -> str:
    """Return what a way to find links is called."""
    return tr(method) if method in _METHODS else method


def spoken_evidence(text: str) -> str:
    """Return why two are one, as a link says it, in the language spoken; what people wrote stays."""
    if several := _OF_SEVERAL.fullmatch(text):
        said = spoken_evidence(several["said"])
        return tr("{said}, which {count} people have", said=said, count=int(several["count"]))
    for template in _EVIDENCE:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(template))
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return tr(template, **found.groupdict())
    return text
