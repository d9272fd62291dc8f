"""Tokens: shown once, kept as hashes, refused when they are over."""

from __future__ import annotations

import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hub_serve.tokens import Reader, Tokens

from hub import ConfigError


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def tokens(tmp_path: Path, watch: Watch) -> Tokens:
    return Tokens(tmp_path / "serve", now=watch)


def test_a_token_says_who_holds_it(tokens: Tokens) -> None:
    """Its level and the person whose rows it shows, whose address is compared in small letters."""
    given = tokens.create("excel", level="team-week", days=30, person=" Ada@Example.org ")

    found = tokens.holder(given)

    assert found is not None
    assert Reader(name="excel", level="team-week", person="ada@example.org") == found.reader


def test_neither_file_nor_list_holds_the_secret(tokens: Tokens) -> None:
    """What is kept opens nothing: no part of the secret stands there, and only the account reads it."""
    given = tokens.create("excel", level="project", days=30)
    secret = given.split("_", 2)[2]

    kept = tokens.file.read_text(encoding="utf-8")

    assert secret not in kept
    assert secret not in repr(tokens.all())
    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE(tokens.file.stat().st_mode)


@pytest.mark.parametrize(
    "bent",
    [
        lambda given: given[:-1] + ("A" if given[-1] != "A" else "B"),
        lambda given: given.split("_", 2)[2],
        lambda given: given.rpartition("_")[0] + "_",
        lambda given: "pmh_000000000000_" + given.split("_", 2)[2],
        lambda given: given.upper(),
        lambda _: "",
        lambda _: "pmh__",
    ],
)
def test_nothing_but_the_token_opens(tokens: Tokens, bent) -> None:
    """One letter more, less or other, the id of another, the secret alone: refused."""
    given = tokens.create("excel", level="project", days=30)

    assert tokens.holder(bent(given)) is None


def test_a_token_ends_with_its_days(tokens: Tokens, watch: Watch) -> None:
    """On its last second it opens, a second later it does not."""
    given = tokens.create("excel", level="project", days=2)
    opened = []
    for moment in (timedelta(days=2) - timedelta(seconds=1), timedelta(days=2)):
        watch.at = datetime(2026, 3, 2, 9, tzinfo=UTC) + moment
        opened.append(tokens.holder(given) is not None)

    assert [True, False] == opened


def test_a_server_sees_what_a_command_did_beside_it(tokens: Tokens, watch: Watch) -> None:
    """A token made or revoked by another process counts from the next request on."""
    beside = Tokens(tokens.file.parent, now=watch)
    given = beside.create("excel", level="project", days=30)
    seen = [tokens.holder(given) is not None]
    beside.revoke("excel")
    seen.append(tokens.holder(given) is not None)

    assert [True, False] == seen


def test_the_last_use_is_noted(tokens: Tokens, watch: Watch) -> None:
    """Whoever looks at the list sees which tokens nobody uses."""
    given = tokens.create("excel", level="project", days=30)
    before = tokens.all()[0].last_used_at
    watch.at += timedelta(days=3)
    tokens.holder(given)

    assert (None, watch.at) == (before, tokens.all()[0].last_used_at)


def test_two_tokens_of_one_name_are_refused(tokens: Tokens) -> None:
    """A name is what revokes it."""
    tokens.create("excel", level="project", days=30)

    with pytest.raises(ConfigError, match="There is a token 'excel'"):
        tokens.create("excel", level="project", days=30)


def test_a_damaged_file_is_a_sentence(tokens: Tokens) -> None:
    """Nobody gets in by it, and it says what to do."""
    given = tokens.create("excel", level="project", days=30)
    tokens.file.write_text('[{"id": "x"', encoding="utf-8")

    with pytest.raises(ConfigError, match="Restore it, or remove it"):
        tokens.holder(given)
