"""NTLM for one host, by requests-ntlm: an extra, since Windows' own sites alone ask for it."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from hub import MissingExtra, tr


class OneHost(requests.auth.AuthBase):
    """Answer the challenges of *host*; a redirect to another gets nothing.

    Raises `MissingExtra` where requests-ntlm is not installed.
    """

    def __init__(self, user: str, password: str, host: str) -> None:
        """Keep the credential."""
        try:
            import requests_ntlm
        except ImportError as exc:
            raise MissingExtra(
                tr('NTLM needs requests-ntlm: pip install "pm-hub-msproject[ntlm]", or set basic = true.')
            ) from exc
        self.host, self.ntlm = host, requests_ntlm.HttpNtlmAuth(user, password)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Prepare a request."""
        prepared: requests.PreparedRequest = (
            self.ntlm(request) if urlsplit(request.url or "").netloc == self.host else request
        )
        return prepared
