"""What a plugin is given has the attributes it has: to set another one is a mistake, and told as one."""

from __future__ import annotations

from hub.words import tr


class Sealed:
    """Refuses attributes that it did not have when `seal` was called."""

    def seal(self) -> None:
        """Take no new attribute from now on."""
        self.__dict__["_sealed"] = True

    def __setattr__(self, name: str, value: object) -> None:
        """Set what is there. Raises `AttributeError` for what is not."""
        if self.__dict__.get("_sealed") and name not in self.__dict__:
            known = ", ".join(sorted(one for one in self.__dict__ if not one.startswith("_")))
            raise AttributeError(
                tr(
                    "{kind} has no attribute {name!r} that can be set. There are: {known}.",
                    kind=type(self).__name__, name=name, known=known,
                )
            )  # fmt: skip
        super().__setattr__(name, value)
