"""What files hold, and what tells one content of a table from another."""

from __future__ import annotations

from hub import FeedView, model

Content = str | bytes
"""What a file of a project holds: a text, or the bytes of a picture."""


def in_bytes(content: Content) -> bytes:
    """Return what a file holds as it is written."""
    return content.encode() if isinstance(content, str) else content


def fingerprint(feed: FeedView, table: str) -> tuple[int, str]:
    """Return the number of rows and a fingerprint of all of them, columns included, whatever their order."""
    columns = model().tables[table].columns
    query = f"SELECT count(*), coalesce(sum(hash({', '.join(columns)})::HUGEINT), 0)::VARCHAR FROM {table}"
    ((count, content),) = feed.connection.execute(query).fetchall()
    shape = ",".join(f"{name} {column.type}" for name, column in columns.items())
    return int(count), f"{count} {content} {shape}"
