"""Signing in by the client credentials of OAuth 2.0 (RFC 6749, 4.4), anew where the token ends in mid-run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.errors import HttpUnexpected
from hub.words import tr

if TYPE_CHECKING:
    from hub.http.session import Session


def sign_in_client(
    session: Session,
    url: str,
    *,
    client_id: str,
    client_secret: str,
    scope: str | None = None,
    as_json: bool = False,
    besides: Mapping[str, str] | None = None,
) -> None:
    """Let *session* bring a token that *url* gives with each request, and another one where it has ended.

    The question is a form, *as_json* where a service wants that. *besides* are headers to go with it. Raises
    what the session raises, also for an answer without a token.
    """
    body: dict[str, str] = {"grant_type": "client_credentials", "client_id": client_id}
    body |= {"client_secret": client_secret} | ({"scope": scope} if scope else {})

    def sign_in() -> None:
        session.credentials = {}  # what opens the service is not for whoever gives tokens
        how: dict[str, Any] = {"json" if as_json else "data": body}
        answer: Any = session.json("POST", url, **how)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            said = tr("{login} gave no access token: check client_id and client_secret.", login=url)
            raise session.say(HttpUnexpected(said))
        session.credentials = {"Authorization": f"Bearer {token}", **(besides or {})}

    sign_in()
    session.renew = sign_in
