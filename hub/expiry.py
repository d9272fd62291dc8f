"""What a tool says of the end of something: an address, a way of asking, the token it was asked with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import msgspec

from hub import clock
from hub.words import day, tr

Kind = Literal["sunset", "deprecated", "warning", "token"]


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a tool said of an end, where it was asked (*place*: host and route, never a query).

    *on* is the day in UTC, None where it named none; *detail* is the address of more, or the tool's words.
    """

    place: str
    kind: Kind
    on: date | None = None
    detail: str = ""

    @property
    def sentence(self) -> str:
        """Return it in one line, in the language of whoever reads."""
        if self.kind == "warning":
            return f"{self.place}: {self.detail}"
        return self._said() + (tr(": see {link}", link=self.detail) if self.detail else "")

    def _said(self) -> str:
        if self.on is None:
            return tr("{place} is deprecated", place=self.place)
        is_over, on = self.on < clock.now().date(), day(self.on)
        if self.kind == "token":
            if is_over:
                return tr("the token for {place} ended on {day}, as the tool said", place=self.place, day=on)
            return tr("the token for {place} ends on {day}, as the tool says", place=self.place, day=on)
        if self.kind == "sunset":
            return tr("{place} ends on {day} (its header Sunset)", place=self.place, day=on)
        if self.on <= clock.now().date():
            return tr("{place} is deprecated since {day}", place=self.place, day=on)
        return tr("{place} will be deprecated on {day}", place=self.place, day=on)

    def is_soon(self, days: int) -> bool:
        """Say whether it comes within *days*, or came already; what is only deprecated goes on working."""
        if self.kind not in {"sunset", "token"} or self.on is None:
            return False
        return self.on <= clock.now().date() + timedelta(days=days)

    @property
    def is_told(self) -> bool:
        """Say whether people are told as soon as it is heard; of a token they are when the day is near."""
        return self.kind != "token"
