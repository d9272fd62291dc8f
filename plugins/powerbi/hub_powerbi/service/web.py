"""A service of Microsoft as a destination asks it: signed, patient, and refusals in sentences."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Any

from hub import (
    DeliveryContext,
    DeliveryDenied,
    DeliveryForbidden,
    DeliveryGone,
    Entra,
    HubError,
    SignIn,
    mark,
    tr,
)

if TYPE_CHECKING:
    import requests

_HINTS = {
    "https://analysis.windows.net/powerbi/api": mark(
        "A service principal needs the tenant setting 'Service principals can use Fabric "
        "APIs' and the role Contributor or Member in the workspace."
    ),
    "https://api.fabric.microsoft.com": mark(
        "A service principal needs the tenant setting 'Service principals can use Fabric "
        "APIs' and the role Contributor or Member in the workspace."
    ),
    "https://storage.azure.com": mark(
        "The account needs the role Contributor or Member in the workspace, and the tenant "
        "setting 'Users can access data stored in OneLake with apps external to Fabric'."
    ),
    "https://graph.microsoft.com": mark(
        "The application needs the permission Sites.Selected with write access to this site, "
        "or Sites.ReadWrite.All, and the consent of an administrator."
    ),
}


class Web:
    """One service: *resource* is what the token is for."""

    def __init__(self, ctx: DeliveryContext, account: Entra, name: str, resource: str) -> None:
        """Ask nothing yet."""
        self.ctx, self.resource = ctx, resource
        self.session = ctx.another_session(resource)
        signed = SignIn.of(ctx, account, name)
        self.signs = True

        def sign() -> dict[str, str]:
            self.signs = False
            header = signed.header(resource)
            self.signs = True
            return header

        signed.opens(self.session, resource)
        self.session.sign = sign

    def answer(self, method: str, url: str, **kwargs: Any) -> tuple[Any, requests.Response]:
        """Ask for JSON, and return the response too.

        Raises `DeliveryDenied` for a refusal, and `DeliveryGone` for what is not there.
        """
        try:
            return self.session.answer(method, url, **kwargs)
        except DeliveryDenied as exc:
            raise self.refusal(exc) from exc

    def json(self, method: str, url: str, **kwargs: Any) -> Any:
        """Ask for JSON."""
        return self.answer(method, url, **kwargs)[0]

    def request(
        self, method: str, url: str, *, also: Container[int] = (), **kwargs: Any
    ) -> requests.Response:
        """Ask. *also* are refusals that are answers."""
        try:
            return self.session.request(method, url, also=also, **kwargs)
        except DeliveryDenied as exc:
            raise self.refusal(exc) from exc

    def refusal(self, exc: HubError) -> HubError:
        """Say what a refusal of this service most likely means."""
        if isinstance(exc, DeliveryGone) or not isinstance(exc, DeliveryDenied):
            return exc
        if not self.signs:  # the sign-in says itself what to do
            return DeliveryDenied(str(exc))
        hint = tr(_HINTS.get(self.resource, ""))
        which = tr("may not do this") if isinstance(exc, DeliveryForbidden) else tr("is not accepted there")
        return DeliveryDenied(
            tr("The account {which}: {error} {hint}", which=which, error=exc, hint=hint).rstrip()
        )
