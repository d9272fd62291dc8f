"""Destinations in OneLake, or in a folder that something else brings there: their settings."""

from __future__ import annotations

from typing import ClassVar

from hub import ConfigError, DeliveryContext, Destination, Entra, tr
from hub_powerbi.service.onelake import RESOURCE


class LakeDestination(Destination, frozen=True, kw_only=True):
    """A place in OneLake (*url*, with *account*), or a folder (*path*)."""

    wants: ClassVar[str]
    """What *url* is the address of."""
    begins: ClassVar[tuple[str, ...]]
    """How such an address begins."""

    url: str | None = None
    account: Entra | None = None
    path: str | None = None

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if (self.url is None) == (self.path is None):
            raise ConfigError(
                tr(
                    "The destination {name}: give url, the address of {wants}, or path, a folder.",
                    name=self.name,
                    wants=tr(self.wants),
                )
            )
        if self.url is not None and (self.account is None or not self.url.startswith(self.begins)):
            raise ConfigError(
                tr(
                    "The destination {name}: url is the address of {wants}, begins with {begins}, and "
                    "needs account.",
                    name=self.name,
                    wants=tr(self.wants),
                    begins=" or ".join(self.begins),
                )
            )

    @property
    def signs_in(self) -> tuple[Entra, str] | None:
        """Return the account, and OneLake."""
        return (self.account, RESOURCE) if self.account else None

    def where(self, ctx: DeliveryContext) -> str:
        """Return the place as a person knows it."""
        return self.url or str(ctx.resolve(self.path or ""))
