"""Ask a source how it is, without a run: what `hub check` and `hub init` show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from hub.context import Context, Network
from hub.errors import HubError
from hub.source import Check, Offer, Source
from hub.words import tr

PATIENCE_S = 20.0
"""A person waits for the answer: a run is far more patient."""


def check(
    source: Source,
    base: Path,
    *,
    network: Network | None = None,
    currency: str = "EUR",
    fields: Mapping[str, str] | None = None,
    offered: Callable[[Iterable[Offer]], Iterable[Check]] | None = None,
) -> list[Check]:
    """Return what *source* found; whatever it raises is a failed check with its sentence.

    *fields* are those that fields.csv asks of it; *offered* says which of the tool's fields could be.
    """

    def session() -> Any:
        return (network or Network()).session(
            count=context.count, patience_s=PATIENCE_S, timeout_s=(5.0, 20.0)
        )

    context = Context(base=base, source_id=source.name, currency=currency, session=session, fields=fields)
    found: list[Check] = []
    try:
        found.extend(source.check(context))
        if offered is not None:
            found.extend(offered(source.offers(context)))
    except HubError as exc:
        found.append(Check(name="check", state="failed", detail=str(exc)))
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - a foreign source may fail in any way
        found.append(
            Check(
                name="check",
                state="failed",
                detail=tr("unexpected {error_type}: {error}", error_type=type(exc).__name__, error=exc),
            )
        )
    finally:
        context.close()
    return found
