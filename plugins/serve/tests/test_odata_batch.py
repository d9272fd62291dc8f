"""``$batch``: each part as it would be alone, in JSON and in multipart text, and no way around a limit."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from odata_site import Client, Site, feed_folder, publish_again

from hub import ConfigError


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Site(feed_folder(), tmp_path_factory.mktemp("tokens")).client() as opened:
        yield opened


def sent(client: Client, *requests: dict[str, Any], **headers: str) -> Any:
    """Return the answer to a batch in JSON."""
    numbered = [{"id": str(n), "method": "get", **one} for n, one in enumerate(requests, 1)]
    return client.post("/odata/v4/$batch", json={"requests": numbered}, headers=headers)


def answers(client: Client, *requests: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    """Return the answers of a batch that is well."""
    answer = sent(client, *requests, **headers)
    assert (200, "application/json") == (answer.status_code, answer.headers["content-type"]), answer.text
    return answer.json()["responses"]  # type: ignore[no-any-return]


def multipart(*parts: str) -> str:
    """Return the body of a batch of *parts*, each a request line with its headers."""
    each = "".join(f"--cut\r\nContent-Type: application/http\r\n\r\n{one}\r\n\r\n\r\n" for one in parts)
    return f"a preamble\r\n{each}--cut--\r\nan epilogue"


def mixed(client: Client, body: str, **headers: str) -> Any:
    """Return the answer to a batch of multipart text."""
    given = {"content-type": "multipart/mixed; boundary=cut", **headers}
    return client.post("/odata/v4/$batch", content=body.encode(), headers=given)


def read(answer: Any) -> list[tuple[int, dict[str, str], str]]:
    """Return the parts of a multipart answer, which the standard library reads: status, headers, body."""
    text = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode() + answer.content
    message = email.message_from_bytes(text, policy=email.policy.HTTP)
    assert message.is_multipart()
    assert not message.defects
    found = []
    for part in message.iter_parts():
        assert part.get_content_type() == "application/http"
        line, _, rest = part.get_payload(decode=True).decode().partition("\r\n")
        head, _, body = rest.partition("\r\n\r\n")
        headers = {
            key.lower(): value.strip() for key, _, value in (one.partition(":") for one in head.split("\r\n"))
        }
        found.append((int(line.split()[1]), headers, body))
    return found


def test_each_part_is_what_it_is_alone(client: Client) -> None:
    """Rows, a row, a count, a value, metadata, CSV, an error: as JSON, text, or base64 (JSON format 19.5)."""
    import base64

    paths = ["dim_task?$select=key&$filter=key%20eq%20'a1'", "dim_status(1)", "dim_task/$count", "nope",
             "dim_status(1)/label_en/$value", "$metadata", "dim_task?$format=csv", "",
             "dim_task?$filter=nope"]  # fmt: skip
    found = answers(client, *({"url": one, "headers": {"Accept": "*/*"}} for one in paths))

    for path, one in zip(paths, found, strict=True):
        alone = client.get(f"/odata/v4/{path}")
        kind = alone.headers["content-type"]
        body = one["body"]
        if kind.startswith("application/xml"):
            body = base64.urlsafe_b64decode(body).decode()
        assert (alone.status_code, alone.json() if "json" in kind else alone.text) == (one["status"], body)
        assert kind == one["headers"]["content-type"]
        assert alone.headers.get("etag") == one["headers"].get("etag")
    assert [str(n) for n in range(1, 10)] == [one["id"] for one in found]


def test_multipart_is_the_same(client: Client) -> None:
    """The three forms of an address; it stops at the first error unless it shall go on (11.7.7)."""
    body = multipart(
        "GET dim_task?$select=key&$top=1 HTTP/1.1",
        "GET /odata/v4/dim_status(1) HTTP/1.1\r\nHost: localhost:8321",
        "GET http://localhost:8321/odata/v4/dim_task/$count HTTP/1.1", "GET nope HTTP/1.1",
        "GET dim_task?$format=csv&$select=title&$filter=key%20eq%20'a2' HTTP/1.1",
    )  # fmt: skip
    stops = read(mixed(client, body))
    goes_on = mixed(client, body, prefer="odata.continue-on-error")
    found = read(goes_on)

    assert [200, 200, 200, 404] == [status for status, _, _ in stops]
    assert [200, 200, 200, 404, 200] == [status for status, _, _ in found]
    assert "odata.continue-on-error=true" == goes_on.headers["preference-applied"]
    assert 1 == json.loads(found[1][2])["status_key"]
    assert "7" == found[2][2]
    assert client.ask("dim_task?$format=csv&$select=title&$filter=key%20eq%20'a2'").text == found[4][2]


def test_a_batch_may_be_answered_in_the_other_form(client: Client) -> None:
    """Accept says which (11.7.1); lines may end as they do on Unix."""
    as_json = mixed(client, multipart("GET dim_task/$count"), accept="application/json").json()
    as_text = sent(client, {"url": "dim_task/$count"}, accept="multipart/mixed")
    unix = mixed(client, multipart("GET dim_task/$count").replace("\r\n", "\n"))

    assert [(200, "7")] == [(one["status"], one["body"]) for one in as_json["responses"]]
    assert (
        [(200, "7")]
        == [(status, body) for status, _, body in read(as_text)]
        == [(status, body) for status, _, body in read(unix)]
    )
    assert "1" == read(as_text)[0][1].get("content-id", "1")


def test_what_depends_on_a_failure_is_not_asked(client: Client) -> None:
    """424 for it and for what has a condition; the rest is answered (JSON format 19.1)."""
    found = answers(
        client, {"url": "nope", "atomicityGroup": "g"}, {"url": "dim_status(1)", "dependsOn": ["1"]},
        {"url": "dim_status(1)", "dependsOn": ["g"]}, {"url": "dim_status(1)", "dependsOn": ["2"]},
        {"url": "dim_status(1)"}, {"url": "dim_status(1)", "dependsOn": ["5"]},
        {"url": "dim_status(1)", "dependsOn": ["5"], "if": "$5/$succeeded"},
    )  # fmt: skip
    stopped = answers(client, {"url": "nope"}, {"url": "dim_status(1)"}, prefer="continue-on-error=false")

    assert [404, 424, 424, 424, 200, 200, 424] == [one["status"] for one in found]
    assert "g" == found[0]["atomicityGroup"]
    assert [404] == [one["status"] for one in stopped]


def test_nothing_is_written(client: Client) -> None:
    """Every part that would write is 405, and a change set is refused as a whole."""
    found = answers(
        client, *({"url": "dim_task", "method": one} for one in ("post", "PUT", "patch", "delete")),
        {"url": "dim_task", "method": "post", "body": {}}, {"url": "dim_task", "body": {}},
    )  # fmt: skip
    one = "Content-Type: application/http\r\nContent-ID: 1\r\n\r\nPOST dim_task HTTP/1.1\r\n\r\n{}"
    inner = f"--in\r\n{one}\r\n--in--"
    body = f"--cut\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n{inner}\r\n--cut--"

    assert [405, 405, 405, 405, 405, 400] == [one["status"] for one in found]
    assert [405] == [status for status, _, _ in read(mixed(client, body))]


def test_a_part_may_have_its_options_in_a_body(client: Client) -> None:
    """`POST …/$query` within a batch, in both formats."""
    found = answers(
        client, {"url": "dim_status/$query", "method": "post", "body": {"$top": 1, "$select": "category"}},
        {"url": "dim_status/$query?$top=1", "method": "POST", "body": "$select=category"},
        {"url": "dim_status/$query", "method": "POST", "body": "$nope=1"},
    )  # fmt: skip
    one = "POST dim_status/$query HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n$top=1&$select=category"
    body = f"--cut\r\nContent-Type: application/http\r\n\r\n{one}\r\n--cut--"
    [(status, _, text)] = read(mixed(client, body))

    assert [200, 200, 400] == [one["status"] for one in found]
    assert found[0]["body"] == found[1]["body"]
    assert 200 == status
    assert json.loads(text) == found[0]["body"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{}", "application/json", 400), ("[]", "application/json", 400), ("", "application/json", 400),
        ('{"requests":[{"id":"1"}]}', "application/json", 400), ("[" * 9000, "application/json", 400),
        ('{"requests":[{"id":"1","method":"get","url":"a"},{"id":"1","method":"get","url":"a"}]}',
         "application/json", 400),
        ('{"requests":[{"id":"1","method":"get","url":"a","dependsOn":["2"]},{"id":"2","method":"get","url":"a"}]}',
         "application/json", 400),
        ("x", "text/plain", 415), ("x", "multipart/mixed", 400), ("x", "multipart/mixed; boundary=cut", 400),
        ("--cut\r\n\r\nGET a\r\n--cut--", "multipart/mixed; boundary=cut", 400),
        (json.dumps({"requests": [{"id": str(n), "method": "get", "url": "a"} for n in range(101)]}),
         "application/json", 400),
        (" " * 1_000_001, "application/json", 413), ('{"requests":[]}', "application/json", 200),
    ],
)  # fmt: skip
def test_what_is_no_batch(client: Client, body: str, kind: str, status: int) -> None:
    """It is refused as a whole, with a sentence."""
    answer = client.post("/odata/v4/$batch", content=body, headers={"content-type": kind})

    assert status == answer.status_code
    assert status == 200 or answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("$batch", 400), ("/odata/v4/$batch", 400), ("%24batch", 400),
        ("http://elsewhere.org/odata/v4/dim_task", 404),
        ("/metrics", 404), ("/healthz", 404), ("../../metrics", 404), ("/odata/v4/../../metrics", 404),
        ("//elsewhere.org/odata/v4/dim_task", 404), ("$1/project", 501), ("dim_task é", 400),
        ("dim_task\r\nX: y", 400), ("dim_task('%FF')", 400), ("dim_task?token=x", 200),
    ],
)  # fmt: skip
def test_addresses_lead_nowhere_else(client: Client, url: str, status: int) -> None:
    """A part asks this service, and no batch in it."""
    assert [status] == [one["status"] for one in answers(client, {"url": url})]


def test_a_part_has_no_rights_of_its_own(tmp_path: Path) -> None:
    """What a part says of who asks is not heard: the rows are those of the token of the batch."""
    site = Site(feed_folder(), tmp_path)
    everything = site.client().token
    with site.client(level="project", person="one@x.org") as client:
        alone = client.ask("dim_project?$select=code").json()["value"]
        said = {"authorization": f"Bearer {everything}", "Cookie": "pm_hub=x", "X-Forwarded-For": "10.0.0.1"}
        found = answers(
            client, {"url": "dim_project?$select=code", "headers": said},
            {"url": f"dim_project?$select=code&token={everything}"},
        )  # fmt: skip
        client.auth = None
        refused = sent(client, {"url": "dim_project"})

    assert [alone, alone] == [one["body"]["value"] for one in found]
    assert 401 == refused.status_code


def test_each_part_counts_as_a_request(tmp_path: Path) -> None:
    """A batch is no way around the requests of a minute."""
    site = Site(feed_folder(), tmp_path)
    site.app.app.state.patience._most = 4
    with site.client() as client:
        found = answers(client, *({"url": "dim_status(1)"} for _ in range(5)))

    assert [200, 200, 200, 429, 429] == [one["status"] for one in found]
    assert found[-1]["headers"]["retry-after"]


@pytest.mark.long
def test_all_parts_are_of_one_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is published meanwhile is in none of its parts; without a feed each part says so."""
    publish_again(tmp_path, "First")
    site = Site(tmp_path / "feed", tmp_path / "tokens")
    first = site.feeds.current()
    publish_again(tmp_path, "Second")
    ids = iter([first])
    now = site.feeds.current()
    monkeypatch.setattr(site.feeds, "current", lambda: next(ids, now))
    with site.client() as client:
        names = [
            one["body"]["value"]
            for one in answers(client, *({"url": "dim_project(1)/name"}, {"url": "dim_project(1)/name"}))
        ]
        alone = client.ask("dim_project(1)/name").json()["value"]

        def gone() -> str:
            raise ConfigError("there is none")

        monkeypatch.setattr(site.feeds, "current", gone)
        none = answers(client, {"url": "dim_project(1)"})

    assert (["First", "First"], "Second") == (names, alone)
    assert [503] == [one["status"] for one in none]
