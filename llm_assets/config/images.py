"""Which columns name pictures, and which pictures may be sent."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from llm_assets.config.base import Settings

ImageDetail = Literal["auto", "low", "high"]


class ImageSettings(Settings):
    """Columns whose cells name pictures: the model sees the pictures and not the cells."""

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    """Each cell names a PNG, JPEG, GIF or WebP file; an empty one names none. They are sent in this order, after the
    text of the prompt's last turn."""
    roots: tuple[str, ...] = ()
    """The folders that files may lie in, at any depth; nothing outside of them is read. A path in a cell starts from
    the first of them that has it, else from the project."""
    allow_urls: bool = False
    """Whether a cell may hold an `https://` or `http://` address, which the provider fetches."""
    max_bytes: Annotated[int, Field(ge=1)] = 10_000_000
    """A larger file is not sent."""
    separator: Annotated[str, Field(min_length=1)] | None = None
    """What stands between several pictures of one cell, such as `;`; a cell names one where it is not given."""
    required: bool = False
    """Whether an item without any picture fails."""
    detail: ImageDetail | None = None
    """How closely the model is to look; not sent where it is not given, as not every server knows it."""
    show_to_judge: bool = True
    """Whether the judge sees them, too."""

    @model_validator(mode="after")
    def _check(self) -> "ImageSettings":
        if not self.roots and not self.allow_urls:
            raise ValueError(
                "give `roots`, the folders that pictures lie in, or `allow_urls: true`"
            )
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("`columns` names a column twice")
        return self
