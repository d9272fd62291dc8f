"""What a server of PostgreSQL answered, as sentences for whoever runs the hub."""

from __future__ import annotations

import psycopg

from hub.errors import StoreBusy, StoreError, StoreFull
from hub.store.engines.reach import LOCK_WAIT_S
from hub.words import tr


def answered(error: Exception, where: str) -> StoreError:
    """Return the sentence for PostgreSQL's *error* about the store at *where*; it holds no password."""
    said = " ".join(str(error).split())[:400].rstrip(".? ")
    match error:
        case psycopg.errors.LockNotAvailable() | psycopg.errors.DeadlockDetected():
            return StoreBusy(
                tr(
                    "Another program writes to the store {where} for more than {wait} seconds. Wait for "
                    "it to end, then run the command again; nothing was lost.",
                    where=where,
                    wait=LOCK_WAIT_S,
                )
            )
        case psycopg.errors.DiskFull():
            return StoreFull(
                tr(
                    "The disk that holds {where} is full. Free some space, then run the command again: "
                    "it continues from the last complete batch.",
                    where=where,
                )
            )
        case psycopg.errors.ReadOnlySqlTransaction():
            return StoreError(
                tr(
                    "{where} can only be read ({said}): it is a standby, or was set to "
                    "default_transaction_read_only. Name the server that is written to.",
                    where=where,
                    said=said,
                )
            )
        case psycopg.errors.InsufficientPrivilege():
            return StoreError(
                tr("The account of {where} lacks a right: {said}. GRANT it.", where=where, said=said)
            )
        case (
            psycopg.errors.QueryCanceled()
            | psycopg.errors.SerializationFailure()  # on a standby, what it had to catch up with
            | psycopg.errors.ConfigurationLimitExceeded()
            | psycopg.errors.OutOfMemory()
        ):
            return StoreError(
                tr(
                    "The server of {where} ended a statement: {said}. Nothing half-written is kept.",
                    where=where,
                    said=said,
                )
            )
        case psycopg.errors.ProgramLimitExceeded():
            return StoreError(
                tr(
                    "A name or an id is longer than {where} can look up: {said}.",
                    where=where,
                    said=said,
                )
            )
        case psycopg.errors.DependentObjectsStillExist():
            return StoreError(
                tr(
                    "What others made stands on the store {where}: {said}. Drop that, and never the "
                    "table; run the command again, and make it anew.",
                    where=where,
                    said=" ".join((error.diag.message_detail or str(error)).split())[:400].rstrip("."),
                )
            )
        case psycopg.OperationalError():
            return StoreError(
                tr(
                    "The store {where} cannot be reached, refused the account, or ended the "
                    "connection: {said}. Nothing half-written is kept.",
                    where=where,
                    said=said,
                )
            )
    return StoreError(tr("The store {where} answered: {error}.", where=where, error=said))
