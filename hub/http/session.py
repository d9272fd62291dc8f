"""Ask with patience: the only place that retries, waits and counts requests.

Retried: connection and read time-outs, broken and truncated answers, 429, 500, 502, 503, 504. Waits follow
the server (``Retry-After`` in seconds, fractions or as a date, ``X-RateLimit-Reset``, ``RateLimit-Reset``),
else grow exponentially with jitter. What is not retried is diagnosed. Credentials are kept apart from other
headers, so that a redirect to another host never carries them.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
import tenacity

from hub.errors import (
    DeliveryError,
    DeliveryUnavailable,
    HttpDenied,
    HttpError,
    HttpForbidden,
    HttpGone,
    HttpUnavailable,
    HttpUnexpected,
    HubError,
    SourceError,
    SourceUnavailable,
)
from hub.expiry import Ending
from hub.http.ending import endings
from hub.http.lane import Lane, Together, server_wait
from hub.http.limits import Limits, Watch
from hub.http.odd import mended
from hub.sealed import Sealed
from hub.words import tr

RETRIED = frozenset({429, 500, 502, 503, 504})
RENEWALS = 3
"""A request is asked so often with another token: several threads may use one up that does not last."""
TRUNCATED_TRIES = 5
"""A body that came whole and is broken all the same is asked for again so often, not until patience ends."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Retry(Exception):
    """Ask for another try, not before *wait_s* when the server said so.

    There are *tries* at most; None: until patience ends.
    """

    def __init__(self, why: str, wait_s: float | None = None, *, tries: int | None = None) -> None:
        """Keep *why* for the person, should patience end."""
        super().__init__(why)
        self.wait_s, self.tries = wait_s, tries


class _NoNetrc(requests.auth.AuthBase):
    """Keep requests from sending credentials of the machine's .netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Session(Sealed):
    """A patient session for one source; safe to use from several threads."""

    def __init__(
        self,
        *,
        ca_bundle: str | None = None,
        count: Callable[..., None] | None = None,
        cancelled: Callable[[], None] | None = None,
        per_second: float | None = None,
        widest: int = 8,
        patience_s: float = 300.0,
        timeout_s: tuple[float, float] = (10.0, 60.0),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        session: requests.Session | None = None,
        limits: Limits | None = None,
        together: Together | None = None,
    ) -> None:
        """Give up after *patience_s* in all.

        *count* and *cancelled* are the engine's, *limits* those of one answer. `credentials` are headers;
        `sign` gives more of them anew for each request, for those that expire; `renew` signs in anew where
        those end that opened something: what was refused for them is asked again; `say` turns what an
        exchange came to into the words of whoever asked; `hear` is told of each place that answered, and of
        what the tool says there of an end.
        """
        self.requests = session or requests.Session()
        self.ca_bundle = ca_bundle
        self.requests.auth = _NoNetrc()
        self.limits = limits or Limits()
        self.watch = Watch(self.requests, self.limits.request_s)
        self.credentials: dict[str, str] = {}
        self.sign: Callable[[], dict[str, str]] = dict
        self.renew: Callable[[], None] | None = None
        self._renewing = threading.RLock()
        self._signing, self._opened, self._not_renewed = False, False, ""
        self.say: Callable[[HttpError], HubError] = lambda error: error
        self.routes: Counter[str] = Counter()
        self.hear: Callable[[str, tuple[Ending, ...]], None] = lambda place, said: None
        self.patience_s, self.timeout_s = patience_s, timeout_s
        self._count, self._cancelled = count, cancelled
        self._clock, self._plain_sleep = clock, sleep
        self._per_second, self._widest = per_second, widest
        self._together = together
        self._lanes: dict[str, Lane] = {}
        self._lock = threading.Lock()
        self.seal()

    def __repr__(self) -> str:
        """Show the routes asked; never the credentials."""
        return f"Session({sum(self.routes.values())} requests on {len(self.routes)} routes)"

    def pause(self, seconds: float) -> None:
        """Wait between two questions, as long as nobody stops the run."""
        self._sleep(seconds)

    def close(self) -> None:
        """Close the connections."""
        self.watch.close()
        self.requests.close()

    def lane(self, url: str) -> Lane:
        """Return the lane of *url*'s host."""
        host = urlsplit(url).netloc
        with self._lock:
            if host not in self._lanes:
                self._lanes[host] = Lane(
                    per_second=self._per_second, widest=self._widest, clock=self._clock, host=host,
                    together=self._together,
                )  # fmt: skip
            return self._lanes[host]

    def get_json(
        self,
        url: str,
        *,
        route: str | None = None,
        decoder: msgspec.json.Decoder[Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """GET *url* and decode its JSON, by *decoder* when given."""
        return self.json("GET", url, route=route, decoder=decoder, **kwargs)

    def json(
        self,
        method: str,
        url: str,
        *,
        route: str | None = None,
        decoder: msgspec.json.Decoder[Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Ask and decode JSON; a truncated answer is asked again.

        Raises `HttpUnexpected` for HTML or for JSON of another shape, and what `request` raises.
        """
        return self.answer(method, url, route=route, decoder=decoder, **kwargs)[0]

    def answer(
        self,
        method: str,
        url: str,
        *,
        route: str | None = None,
        decoder: msgspec.json.Decoder[Any] | None = None,
        also: Container[int] = (),
        **kwargs: Any,
    ) -> tuple[Any, requests.Response]:
        """Do what `json` does, and give the response too.

        Totals and the next page may stand in its headers. Where *also* has 204, that answer is None.
        """

        def accept(response: requests.Response) -> Any:
            if response.is_redirect or (response.status_code == 204 and 204 in also):
                return None, response
            if urlsplit(response.url).hostname != urlsplit(url).hostname:
                raise HttpUnexpected(
                    tr(
                        "{place} sent the question on to {host}: what another host answers was not taken. "
                        "Correct the url if the tool has moved.",
                        place=_place(method, url),
                        host=urlsplit(response.url).hostname,
                    )
                )
            try:
                content = _utf8(response)
                decoded = _decoded(content, decoder)
            except msgspec.ValidationError as exc:
                raise HttpUnexpected(
                    tr(
                        "{place} answered JSON of another shape than documented: {error}.",
                        place=_place(method, url),
                        error=exc,
                    )
                ) from exc
            except UnicodeDecodeError as exc:
                raise HttpUnexpected(
                    tr(
                        "{place} answered JSON with letters that are not UTF-8, and names no other encoding: "
                        "the server, or a proxy before it, has to say charset in its Content-Type.",
                        place=_place(method, url),
                    )
                ) from exc
            except msgspec.DecodeError as exc:
                start = response.content[:200].lstrip().lower()
                if start.startswith(b"<") or "html" in response.headers.get("Content-Type", ""):
                    raise HttpUnexpected(
                        tr(
                            "{place} answered HTML instead of JSON: most likely a sign-in page, a proxy, or "
                            "a wrong address. Open the address in a browser, then check the url and the "
                            "credentials.",
                            place=_place(method, url),
                        )
                    ) from exc
                if not start.startswith((b"{", b"[")):
                    raise HttpUnexpected(
                        tr(
                            "{place} answered something that is not JSON: it begins with {start!r}. Another "
                            "program than the one expected answers there: check the url.",
                            place=_place(method, url),
                            start=start[:40],
                        )
                    ) from exc
                raise Retry(
                    tr("the answer is truncated or not JSON ({error})", error=exc), tries=TRUNCATED_TRIES
                ) from exc
            return decoded, response

        found: tuple[Any, requests.Response] = self._patiently(method, url, route, accept, kwargs, also)
        return found

    def request(
        self, method: str, url: str, *, route: str | None = None, also: Container[int] = (), **kwargs: Any
    ) -> requests.Response:
        """Ask, with patience.

        *route* is the name under which the request is counted (default: the path); *also* are refusals that
        are answers. Raises `HttpDenied` (401), `HttpForbidden` (403), `HttpGone` (404, 410), `HttpUnexpected`
        (other 4xx, redirects gone wrong), `HttpUnavailable` when patience ends.
        """
        response: requests.Response = self._patiently(method, url, route, lambda found: found, kwargs, also)
        return response

    # ---------- inside ----------

    def _sleep(self, seconds: float) -> None:
        while seconds > 0:
            if self._cancelled:
                self._cancelled()
            part = min(seconds, 0.5)
            self._plain_sleep(part)
            seconds -= part

    def _patiently(
        self,
        method: str,
        url: str,
        route: str | None,
        accept: Callable[[requests.Response], Any],
        kwargs: dict[str, Any],
        also: Container[int] = (),
    ) -> Any:
        backoff = tenacity.wait_random_exponential(multiplier=0.5, max=30)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, Retry) and error.wait_s is not None:
                return error.wait_s
            return backoff(state)

        began, lane = self._clock(), self.lane(url)

        def stop(state: tenacity.RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, Retry) and error.tries is not None and state.attempt_number >= error.tries:
                return True
            # patience is for the host: once it is at its end, nobody who asks later begins anew
            since = began if lane.silent_since is None else min(began, lane.silent_since)
            return self._clock() - since + state.upcoming_sleep > self.patience_s

        def before_sleep(_: tenacity.RetryCallState) -> None:
            if self._count:
                self._count(retries=1)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Retry),
            wait=wait,
            stop=stop,
            sleep=self._sleep,
            before_sleep=before_sleep,
            reraise=True,
        )
        try:
            return retrying(lambda: accept(self._once(method, url, route, kwargs, also)))
        except HttpError as exc:
            raise self.say(exc) from (exc.__cause__ or exc)
        except Retry as exc:
            said = tr(
                "{place} did not answer within {patience_s:g} s of patience: {error}.",
                place=_place(method, url),
                patience_s=self.patience_s,
                error=exc,
            )
            raise self.say(HttpUnavailable(said)) from exc

    def _once(
        self, method: str, url: str, route: str | None, kwargs: dict[str, Any], also: Container[int]
    ) -> requests.Response:
        headers = dict(kwargs.get("headers") or {})
        rest = {key: value for key, value in kwargs.items() if key != "headers"}
        home = urlsplit(url)
        for _ in range(6):
            here = urlsplit(url)
            same_host = (here.scheme, here.netloc) == (home.scheme, home.netloc)
            sent = headers | self.credentials | self.sign() if same_host else _harmless(headers)
            response = self._send(method, url, route, sent, rest)
            for _ in range(RENEWALS):
                if response.status_code != 401 or not same_host or not self._renewed(sent):
                    break
                sent = headers | self.credentials | self.sign()
                response = self._send(method, url, route, sent, rest)
            self._opened |= response.status_code != 401 and sent != headers
            if response.status_code in also:
                return response
            if response.status_code not in _REDIRECTS:
                if response.status_code in {404, 410} and _is_elsewhere(home.path, here.path):
                    raise HttpUnexpected(
                        tr(
                            "{place} sends the question on to {path}, where nothing is: that says nothing of "
                            "what was asked for. Most likely a sign-in page.",
                            place=_place(method, home.geturl()),
                            path=here.path[:80],
                        )
                    )
                return self._judge(method, url, response)
            target = urljoin(url, response.headers.get("Location", ""))
            if home.scheme == "https" and urlsplit(target).scheme != "https":
                raise HttpUnexpected(
                    tr(
                        "{place} redirects to an address without TLS: it was not followed.",
                        place=_place(method, url),
                    )
                )
            if (
                response.status_code in {307, 308}
                and rest.keys() & {"data", "json"}
                and urlsplit(target)[:2] != home[:2]
            ):
                # what was asked may hold a credential
                raise HttpUnexpected(
                    tr(
                        "{place} sends the question on to another host: it was not followed.",
                        place=_place(method, url),
                    )
                )
            if response.status_code == 303 or (response.status_code in {301, 302} and method == "POST"):
                method, rest = "GET", {}
            url = target
            rest.pop("params", None)
        raise HttpUnexpected(tr("{place} redirects in a circle: check the url.", place=_place(method, url)))

    def _renewed(self, sent: Mapping[str, str]) -> bool:
        """Sign in anew after what was *sent* was refused, once for all threads; say whether to ask again.

        Raises `HttpDenied` where signing in is refused as well.
        """
        if self.renew is None:
            return False
        with self._renewing:
            if self._signing:  # it is the signing in that was refused
                return False
            now = self.credentials | self.sign()
            if any(sent.get(name) != value for name, value in now.items()):
                return True  # another thread was refused before
            if (
                not self._opened and not self._not_renewed
            ):  # what never opened anything has not ended: it is wrong
                return False
            held, self._signing, self._opened = self.credentials, True, False
            try:
                if not self._not_renewed:
                    self.renew()
                    return True
            except (HttpError, SourceError, DeliveryError) as exc:
                self.credentials = held
                if isinstance(exc, (HttpUnavailable, SourceUnavailable, DeliveryUnavailable)):
                    raise
                self._not_renewed = str(exc)
            finally:
                self._signing = False
        raise HttpDenied(
            tr(
                "The sign-in ended within the run, and a new one is refused: {error}",
                error=self._not_renewed,
            )
        )

    def _send(
        self, method: str, url: str, route: str | None, headers: dict[str, str], rest: dict[str, Any]
    ) -> requests.Response:
        lane, asked_at = self.lane(url), self._clock()
        if self.ca_bundle:  # with each question: requests lets REQUESTS_CA_BUNDLE win over a session's own
            rest = {"verify": self.ca_bundle, **rest}
        name = route or urlsplit(url).path
        try:
            with lane.turn(self._sleep):
                if self._cancelled:
                    self._cancelled()
                with self._lock:
                    self.routes[name] += 1
                if self._count:
                    self._count(requests=1)
                with self.watch.over() as guarded:
                    response = self.requests.request(
                        method,
                        url,
                        headers=headers,
                        timeout=self.timeout_s,
                        allow_redirects=False,
                        stream=True,
                        **rest,
                    )
                    self.limits.take_body(response, _place(method, url))
                if guarded.ended:  # a body without a length seems whole when it is cut off
                    raise requests.exceptions.ConnectionError
        except requests.exceptions.SSLError as exc:
            raise HttpUnavailable(
                tr(
                    "{place}: the server's certificate could not be verified. If your company signs its "
                    "own, name its CA file in [engine] ca_bundle; verification is never turned off.",
                    place=_place(method, url),
                )
            ) from exc
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as exc:
            if guarded.ended:
                raise HttpUnavailable(
                    tr(
                        "{place} had not answered whole after {request_s:g} s: it was cut off. Ask for "
                        "smaller pages, or raise [engine] max_request_s.",
                        place=_place(method, url),
                        request_s=self.limits.request_s,
                    )
                ) from None
            lane.failed(asked_at)
            raise Retry(
                tr("{error_type}: the connection failed or broke off", error_type=type(exc).__name__)
            ) from None
        except requests.exceptions.RequestException as exc:
            raise HttpUnexpected(
                tr(
                    "{place} cannot be asked: {error_type}.",
                    place=_place(method, url),
                    error_type=type(exc).__name__,
                )
            ) from None
        except OSError as exc:  # requests says so of certificates that are not there
            raise HttpUnexpected(
                tr(
                    "{place} cannot be asked: {error}. Check [engine] ca_bundle, REQUESTS_CA_BUNDLE and "
                    "CURL_CA_BUNDLE.",
                    place=_place(method, url),
                    error=exc,
                )
            ) from None
        if self._count:
            self._count(bytes_=len(response.content))
        place = f"{urlsplit(url).hostname} {name}"
        self.hear(place, tuple(endings(response, place)))
        if response.status_code in RETRIED and response.status_code != 429:
            lane.failed(asked_at)
        else:
            lane.heard()
        if response.status_code == 429:
            lane.was_refused(server_wait(response.headers, datetime.now(UTC)))
        elif response.ok:
            lane.went_well()
        return response

    def hear_of_token(self, url: str, on: date) -> None:
        """Take that the token which *url* is asked with ends on the day *on*, as the tool itself said."""
        host = urlsplit(url).hostname or url
        self.hear(host, (Ending(place=host, kind="token", on=on),))

    def _judge(self, method: str, url: str, response: requests.Response) -> requests.Response:
        status = response.status_code
        if response.ok:
            return response
        if status in RETRIED:
            reason = response.headers.get("RateLimit-Reason", "")
            said = f"HTTP {status}" + (f" ({reason})" if reason else "")
            raise Retry(said, server_wait(response.headers, datetime.now(UTC)))
        place = _place(method, url)
        if status == 401:
            raise HttpDenied(
                tr(
                    "{place} refused the credentials (HTTP 401): the token is wrong, expired or of "
                    "another site.",
                    place=place,
                )
            )
        if status == 403:
            raise HttpForbidden(
                tr(
                    "{place} is forbidden to this account (HTTP 403): give it the right to read, or "
                    "leave this part out.",
                    place=place,
                )
            )
        if status in {404, 410}:
            gone = (
                tr("is no longer offered")
                if status == 410
                else tr("does not exist, or this account may not see it")
            )
            if said := self._reason(response):
                raise HttpGone(
                    tr(
                        "{place} {gone} (HTTP {status}): it says: {said}",
                        place=place, gone=gone, status=status, said=said,
                    )
                )  # fmt: skip
            raise HttpGone(tr("{place} {gone} (HTTP {status}).", place=place, gone=gone, status=status))
        said = self._reason(response)
        raise HttpUnexpected(
            tr("{place} answered HTTP {status}: it says: {said}", place=place, status=status, said=said)
            if said
            else tr(
                "{place} answered HTTP {status}: another program than the one expected answers there: check "
                "the url."
                if status == 501
                else "{place} answered HTTP {status}: the server did not understand the question. Please "
                "report it.",
                place=place,
                status=status,
            )
        )

    def _reason(self, response: requests.Response) -> str:
        """Return what a refusal says in the words of the server, less what looks like our credentials."""
        try:
            body = msgspec.json.decode(response.content[:20_000])
        except msgspec.DecodeError:
            return ""
        texts: list[str] = []
        if isinstance(body, dict):
            for name in ("errorMessages", "message", "error_description", "errors", "error"):
                value = body.get(name)
                values = (
                    value.values()
                    if isinstance(value, dict)
                    else value
                    if isinstance(value, list)
                    else [value]
                )
                told = (one.get("message") if isinstance(one, dict) else one for one in values)
                texts += [one for one in told if isinstance(one, str)]
        said = " ".join(dict.fromkeys(texts))
        for secret in (self.credentials | self.sign()).values():
            for part in secret.split():
                said = said.replace(part, "…") if len(part) > 3 else said
        return said[:300]


def _decoded(content: bytes, decoder: msgspec.json.Decoder[Any] | None) -> Any:
    decode = decoder.decode if decoder else msgspec.json.decode
    try:
        return decode(content)
    except msgspec.DecodeError:
        better = mended(content)
        if better == content:
            raise
        return decode(better)


def _utf8(response: requests.Response) -> bytes:
    """Return the body in UTF-8, where the answer names another encoding than that."""
    named = re.search(
        r"charset\s*=\s*[\"']?([\w.:-]+)", response.headers.get("Content-Type", ""), re.IGNORECASE
    )
    if named is None or named[1].lower().replace("_", "-") in {"utf-8", "utf8"}:
        return response.content
    with contextlib.suppress(LookupError, UnicodeDecodeError):
        return response.content.decode(named[1]).encode("utf-8", "surrogatepass")
    return response.content


def _is_elsewhere(asked: str, answered: str) -> bool:
    """Say whether a redirect led to another thing: one that moved ends as it did, by its id."""
    return asked.rstrip("/").rpartition("/")[2] != answered.rstrip("/").rpartition("/")[2]


def _place(method: str, url: str) -> str:
    """Name a request without its query, which may hold a secret."""
    parts = urlsplit(url)
    return f"{method} {parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """Keep only headers that cannot identify anyone."""
    kept = {"accept", "accept-language", "content-type", "user-agent"}
    return {name: value for name, value in headers.items() if name.lower() in kept}
