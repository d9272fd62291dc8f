"""The sections of the configuration, as they are once they were checked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from hub.bounds import Count, Positive, Share
from hub.context import Network
from hub.destination import Destination
from hub.meetings import cut_due, next_meeting
from hub.secrets import Secret
from hub.source import Source


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[schedule]``: when `hub run` happens, as a five-field cron expression.

    It is read in the zone *tz* (None: the machine's). *env_file* holds lines ``NAME=value`` for secrets that
    are named by ``env``, where a scheduler starts the hub with an environment of its own; what the
    environment says itself wins.
    """

    run: str | None = None
    tz: str | None = None
    env_file: str | None = None


class Notify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[notify]``: Apprise addresses told of what goes wrong with a run, and of its recovery.

    Each address is a secret. Of a token that ends they are told *days_before*.
    """

    to: tuple[Secret, ...] = ()
    days_before: Annotated[int, msgspec.Meta(ge=0)] = 14


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[log]``: a *file* that every command writes to, one line an event, or one JSON object.

    At *max_mb* it is put aside as ``….1``, and so on; *keep* of these are kept.
    """

    file: str | None = None
    json: bool = False
    max_mb: Positive = 10.0
    keep: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 5


class Sharing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[delivery]``: who besides the hub's own account may read delivered files, on Linux and macOS.

    *group* gets them, with the rights *mode* (octal, such as ``0640``; a folder is entered by who may read
    it). What names persons (``nominative-line``, ``pseudonym-week``) stays with the account.
    """

    group: str | None = None
    mode: Annotated[str, msgspec.Meta(pattern="^0?[0-7]{3}$")] | None = None

    @property
    def bits(self) -> int:
        """Return the mode of a file."""
        return int(self.mode, 8) if self.mode else 0o640 if self.group else 0o600


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[gate]``: whether stale or failed sources block a feed instead of being marked in it.

    *min_quality* (0 to 100) and *max_unmapped* (a share) block too when they are set.
    """

    freshness: Literal["warn", "block"] = "warn"
    failed_sources: Literal["warn", "block"] = "warn"
    min_quality: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    max_unmapped: Share | None = None
    keep_feeds: Count = 10


class Engine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[engine]``: how much runs at once, and what memory builds, checks and delivers a feed.

    *ca_bundle* is a file of the company's own certificates, instead of what the environment names;
    *max_answer_mb* and *max_request_s* bound one answer over HTTP. A source that says nothing for
    *max_silence_s*, or takes longer than *max_source_s*, is given up: the run goes on without it. With *kind*
    ``dask`` the heavy part of a feed is built by the workers of the Dask scheduler at *address*, each with
    that memory; where the store is on a server they read the sources, too.
    """

    kind: Literal["local", "dask"] = "local"
    address: Annotated[str, msgspec.Meta(pattern="^(tcp|tls)://")] | None = None
    jobs: Count = 8
    memory_mb: Count = 1024
    ca_bundle: str | None = None
    max_answer_mb: Positive = 100.0
    max_request_s: Positive = 300.0
    max_silence_s: Positive = 1800.0
    max_source_s: Positive = 21600.0

    @property
    def cluster(self) -> str | None:
        """Return the address of the scheduler that has work done; None where this machine does all of it."""
        return self.address if self.kind == "dask" else None

    @property
    def network(self) -> Network:
        """Return how runs use the network."""
        return Network(ca_bundle=self.ca_bundle, answer_mb=self.max_answer_mb, request_s=self.max_request_s)


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[match]``: how the accounts and tasks of several tools are matched.

    *domain_aliases* maps a mail domain to the one it stands for; *auto* looks for exact matches after every
    sync.
    """

    domain_aliases: dict[str, str] = {}
    auto: bool = True


class Committee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[committee]``: when it meets, as days or as a rhythm (`hub.meetings.meetings`).

    On its day `hub run` publishes, then takes a cut of what it published, called *label* and the day, and
    closes it unless *close* is false.
    """

    dates: tuple[date, ...] = ()
    rhythm: str | None = None
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "COPIL"
    close: bool = True

    def next(self, today: date) -> date | None:
        """Return the first day after *today* on which it meets, as far as that is known."""
        return next_meeting(self.dates, self.rhythm, today)

    def cut_due(self, today: date, taken: list[date]) -> date | None:
        """Return the day of which a cut is to be taken *today*, where those *taken* lack it."""
        return cut_due(self.dates, self.rhythm, today, taken)


class PrivacySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[privacy]``: how long lines of persons are kept, and what hides them.

    *key* makes pseudonyms. *keep_months* is how long lines of persons are kept before `hub privacy purge`
    sums them. *k* is of how many people a sum that shows a team or a week is made at least, where a
    destination gets sums.
    """

    key: Secret | None = None
    keep_months: Count = 13
    k: Count = 5


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[backup]``: where `hub store backup` writes, and how many it keeps there.

    *key* is the passphrase that encrypts them (None: they are not). *secrets* takes the files of secrets too,
    which asks for a *key*. With *each_run* `hub run` makes one at its end.
    """

    folder: str | None = None
    keep: Count = 14
    key: Secret | None = None
    secrets: bool = False
    each_run: bool = False


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[retention]``: what `hub store prune` frees, and `hub run` with it; None keeps it for ever.

    Older images of rows go after *history_months*, but for what a cut shows; runs after *runs_months*,
    the memory of deliveries after *deliveries_months*. Feeds are kept as ``[gate] keep_feeds`` says.
    """

    history_months: Count | None = None
    runs_months: Count | None = None
    deliveries_months: Count | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One checked configuration; *base* is the folder its relative paths start from."""

    path: Path
    base: Path
    store: str
    feed: Path
    lang: Literal["en", "fr"]
    country: str
    currency: str
    sources: dict[str, Source]
    destinations: dict[str, Destination]
    schedule: Schedule
    notify: Notify
    gate: Gate
    engine: Engine
    match: Match
    privacy: PrivacySettings
    committee: Committee
    log: Log = Log()
    delivery: Sharing = Sharing()
    environment: str | None = None
    metrics: Path | None = None
    lineage: Path | None = None
    backup: BackupSettings = BackupSettings()
    retention: Retention = Retention()
    store_password: Secret | None = None
