"""A simulator of Microsoft's sign-in, for the worlds of its services.

Written from learn.microsoft.com/entra/identity-platform: OpenID configuration, client credentials by secret
or certificate, device code, refresh.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

from hub.entra import Entra
from hub.simulator import Request, Response
from hub.testing.kit.certification import SECRET, credential

TENANT = "contoso.onmicrosoft.com"
CLIENT = "00000000-0000-4000-8000-00000000c11e"
TOKEN = f"token-of-{SECRET}"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def account(place: str) -> Entra:
    """Return the setting ``account`` of an application that signs in at the simulator *place*."""
    return Entra(tenant=TENANT, client_id=CLIENT, client_secret=credential(), authority=place)


def refused(code: int, text: str, error: str = "invalid_client") -> Response:
    """Refuse as Entra does."""
    said = f"AADSTS{code}: {text} Trace ID: 0 Correlation ID: 0 Timestamp: 2026-01-01 00:00:00Z"
    return Response(status=400, body={"error": error, "error_description": said, "error_codes": [code]})


def is_signed_in(request: Request) -> bool:
    """Say whether a request carries the token."""
    return request.headers.get("authorization") == f"Bearer {TOKEN}"


def sign_in(request: Request, *, pending: list[int] | None = None) -> Response | None:
    """Answer a request of the sign-in; None for any other.

    *pending* holds how often the person of a device code still lets us wait.
    """
    tenant, _, path = request.path.strip("/").partition("/")
    if not path.startswith(("v2.0/", "oauth2/v2.0/")):
        return None
    if tenant != TENANT:
        return refused(90002, f"Tenant '{tenant}' not found.", "invalid_tenant")
    root = f"https://{request.headers['host']}/{tenant}"
    if path == "v2.0/.well-known/openid-configuration":
        return Response(
            body={
                "issuer": f"{root}/v2.0",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
            }
        )
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    if form.get("client_id") != CLIENT:
        return refused(700016, "Application was not found in the directory.", "unauthorized_client")
    if path == "oauth2/v2.0/devicecode":
        return Response(
            body={
                "user_code": "ABCD-EFGH",
                "device_code": "device",
                "verification_uri": "https://microsoft.com/devicelogin",
                "expires_in": 900,
                "interval": 0,
                "message": "",
            }
        )
    match form.get("grant_type"):
        case "client_credentials":
            if form.get("client_assertion_type") != _ASSERTION and form.get("client_secret") != SECRET:
                return refused(7000215, "Invalid client secret provided.")
            return Response(body={"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN})
        case "urn:ietf:params:oauth:grant-type:device_code" | "device_code":
            if pending and pending[0]:
                pending[0] -= 1
                return refused(70016, "Pending.", "authorization_pending")
            return Response(body=_of_a_person(form))
        case "refresh_token":
            if form.get("refresh_token") != "refresh":
                return refused(700082, "The refresh token has expired due to inactivity.", "invalid_grant")
            return Response(body=_of_a_person(form))
    return refused(900144, "The request body must contain the parameter grant_type.", "invalid_request")


def _of_a_person(form: dict[str, str]) -> dict[str, Any]:
    claims = {
        "aud": CLIENT,
        "iss": "simulator",
        "sub": "1",
        "oid": "1",
        "tid": TENANT,
        "preferred_username": "pmo@example.org",
        "exp": 4102444800,
        "iat": 0,
    }
    return {
        "token_type": "Bearer",
        "expires_in": 3599,
        "access_token": TOKEN,
        "refresh_token": "refresh",
        "scope": form.get("scope", ""),
        "id_token": f"{_part({'alg': 'none'})}.{_part(claims)}.",
        "client_info": _part({"uid": "1", "utid": "1"}),
    }


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
