"""Recognise people: employee number, e-mail and login decide; a name, whatever its order, only proposes."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from hub.store.erasure import ERASED

State = Literal["accepted", "proposed", "none"]


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """How one tool, or people.csv, shows someone.

    *emails* are all addresses known; *person* is the person somebody named.
    """

    id: str
    source: str = ""
    kind: str = "human"
    name: str | None = None
    emails: tuple[str, ...] = ()
    employee_no: str | None = None
    login: str | None = None
    person: str | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """That an account is a person.

    *state* is accepted or proposed, by *method*, with a *score* up to 1 and a *reason* to read.
    """

    account_id: str
    person_id: str
    state: State
    method: str
    score: float
    reason: str


def email_key(text: str, aliases: Mapping[str, str]) -> tuple[str, bool]:
    """Return the normalised address, and whether an alias was needed.

    It is in NFC and lower case, the domain is the one that an alias stands for.
    """
    plain = unicodedata.normalize("NFC", text.strip()).lower()
    user, _, domain = plain.rpartition("@")
    main = aliases.get(domain)
    return (f"{user}@{main}", True) if main and main != domain else (plain, False)


def name_key(text: str | None) -> str:
    """Return a name without accents, case, order and punctuation; one who was erased has none."""
    if text == ERASED:
        return ""
    plain = unicodedata.normalize("NFKD", text or "")
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return " ".join(sorted(re.findall(r"\w+", bare)))


def login_key(text: str | None) -> tuple[str, str] | None:
    r"""Return (user, domain) of ``CORP\jdoe`` or ``jdoe@corp.com``; the domain is empty for ``jdoe``."""
    if not text:
        return None
    plain = text.strip().lower()
    if "\\" in plain:
        domain, _, user = plain.rpartition("\\")
        return user, domain
    user, _, domain = plain.partition("@")
    return user, domain


def identify(a: Face, b: Face | None, aliases: Mapping[str, str]) -> tuple[State, str]:
    """Compare two faces; gives (state, method), the first rule that applies."""
    for face in (a, b):
        if face is not None and face.kind == "bot":
            return "none", "excluded"
        if face is not None and face.kind == "generic":
            return "none", "role placeholder"
    if b is None:
        return "none", "nothing to compare with"
    if (
        a.employee_no
        and b.employee_no
        and a.employee_no.strip().casefold() == b.employee_no.strip().casefold()
    ):
        return "accepted", "employee_no"
    mine, theirs = ([email_key(one, aliases) for one in face.emails] for face in (a, b))
    for key, turned in mine:
        for other, also in theirs:
            if key == other:
                return "accepted", "email+alias" if turned or also else "email"
    left, right = login_key(a.login), login_key(b.login)
    if left and right and left == right:
        return "accepted", "login"
    if name_key(a.name) and name_key(a.name) == name_key(b.name):
        return "proposed", "name"
    return "none", "nothing in common"


def recognise(
    accounts: Iterable[Face], people: Iterable[Face], aliases: Mapping[str, str]
) -> tuple[list[Finding], list[list[Face]]]:
    """Match *accounts* with *people*; return the findings, and groups of accounts of one human nobody listed.

    Each account is looked at by the rules of `identify`, by index, not pair by pair.
    An identifier that two people share decides nothing: both are proposed.
    """
    known = list(people)
    ids = {person.id for person in known}
    index: dict[tuple[str, object], list[str]] = defaultdict(list)
    for person in known:
        for key, _, _ in _keys(person, aliases):
            if person.id not in index[key]:
                index[key].append(person.id)
    findings: list[Finding] = []
    alone: list[Face] = []
    for account in accounts:
        if account.kind != "human":
            continue
        if account.person and account.person in ids:
            findings.append(
                _finding(account, account.person, "accepted", "manual", 1.0, "named in accounts.csv")
            )
            continue
        for key, method, shown in _keys(account, aliases):
            found = index.get(key)
            if not found:
                continue
            exact = method != "name" and len(found) == 1
            score = 1.0 if exact else 0.9 if len(found) == 1 else 0.5
            reason = f"same {method.replace('_', ' ')} {shown}" + (
                "" if len(found) == 1 else f", which {len(found)} people have"
            )
            findings.extend(
                _finding(account, one, "accepted" if exact else "proposed", method, score, reason)
                for one in found
            )
            break
        else:
            alone.append(account)
    return findings, _clusters(alone, aliases)


def _keys(face: Face, aliases: Mapping[str, str]) -> list[tuple[tuple[str, object], str, str]]:
    """Return (key, method, what to show), the strongest first."""
    keys: list[tuple[tuple[str, object], str, str]] = []
    if face.employee_no:
        keys.append((("employee_no", face.employee_no.strip().casefold()), "employee_no", face.employee_no))
    for one in face.emails:
        key, turned = email_key(one, aliases)
        keys.append((("email", key), "email+alias" if turned else "email", key))
    if login := login_key(face.login):
        keys.append((("login", login), "login", face.login or ""))
    if name := name_key(face.name):
        keys.append((("name", name), "name", face.name or ""))
    return keys


def _clusters(accounts: list[Face], aliases: Mapping[str, str]) -> list[list[Face]]:
    """Group accounts of several sources that share an exact identifier."""
    leader: dict[str, str] = {account.id: account.id for account in accounts}

    def top(one: str) -> str:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    seen: dict[tuple[str, object], str] = {}
    for account in accounts:
        for key, method, _ in _keys(account, aliases):
            if method == "name":
                continue
            if key in seen:
                first, second = sorted((top(seen[key]), top(account.id)))
                leader[second] = first
            else:
                seen[key] = account.id
    groups: dict[str, list[Face]] = defaultdict(list)
    for account in accounts:
        groups[top(account.id)].append(account)
    return [group for group in groups.values() if len(group) > 1]


def _finding(account: Face, person: str, state: State, method: str, score: float, reason: str) -> Finding:
    return Finding(
        account_id=account.id, person_id=person, state=state, method=method, score=score, reason=reason
    )
