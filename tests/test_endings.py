"""What tools say of an end is kept until they are asked at the same place and say it no more."""

from __future__ import annotations

from datetime import date

from hub.expiry import Ending
from hub.store import Store, endings
from hub.store.erasure import identifiers

OLD = Ending(place="a.example /v1", kind="sunset", on=date(2027, 3, 31))
TOKEN = Ending(place="a.example", kind="token", on=date(2027, 1, 31))
WORDS = Ending(place="a.example /v1", kind="warning", detail="use v2")


def test_what_was_heard_stays_until_it_is_unsaid(store: Store) -> None:
    """A run that asks elsewhere forgets nothing, one that asks there knows all; others keep theirs."""
    endings.keep(store, "one", [OLD, TOKEN, WORDS], ["a.example", "a.example /v1"])
    endings.keep(store, "two", [OLD], ["a.example /v1"])
    endings.keep(store, "one", [], ["a.example /v2"])
    elsewhere = endings.known(store)
    endings.keep(store, "one", [TOKEN], ["a.example", "a.example /v1"])

    assert [("one", TOKEN), ("one", OLD), ("two", OLD), ("one", WORDS)] == elsewhere
    assert [("one", TOKEN), ("two", OLD)] == endings.known(store)


def test_a_renewed_token_has_one_day(store: Store) -> None:
    """The later day replaces the earlier one."""
    endings.keep(store, "one", [TOKEN], ["a.example"])
    renewed = Ending(place="a.example", kind="token", on=date(2028, 1, 31))
    endings.keep(store, "one", [renewed], [])

    assert [("one", renewed)] == endings.known(store)


def test_nobody_who_was_erased_comes_back_by_a_route(store: Store) -> None:
    """A place and a warning pass the same door as everything else that is written."""
    store.start_erasure(identifiers(["Zelda Example"], [], []), texts=True, actor="t", accounts=())
    place = "a.example /users/Zelda Example"
    said = Ending(place=place, kind="warning", detail="Zelda Example: deprecated")
    endings.keep(store, "one", [said], [place])

    assert "Zelda" not in repr(store.rows("SELECT * FROM ending"))
    endings.keep(store, "one", [], [place])
    assert [] == endings.known(store)
