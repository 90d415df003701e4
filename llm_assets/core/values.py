"""Which rules the values that become artifacts share.

An artifact is a `meta` and a tuple of records. Records are slotted dataclasses, because a batch may hold
hundreds of thousands of them; Pydantic validates them when they are read back.
"""

from pydantic import BaseModel, ConfigDict

FROZEN_RECORD = ConfigDict(extra="forbid", strict=True)
"""The `__pydantic_config__` of record dataclasses."""

Scalar = str | int | float | bool | None
"""The value of a cell. Dates are text in ISO 8601 form."""


class FrozenModel(BaseModel):
    """A value that is kept in a file: frozen, and an unknown field in the file is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class CollectionMeta(FrozenModel):
    """What a collection says about its records. A stage that needs no more than that asks for it alone."""

    @property
    def counted(self) -> tuple[object, ...]:
        """What of it later stages show and no record holds, as plain data: another one is another version."""
        return ()
