"""What form a model's answer has."""

from typing import Literal, cast

from pydantic import model_validator

from llm_assets.config.base import Settings

AnswerKind = Literal["json", "text"]


class AnswerSettings(Settings):
    """What form an answer has; `answer: text` is short for a block with the `kind` alone."""

    kind: AnswerKind = "json"
    """`json` is one JSON object. `text` is markdown, from which the fields of the output model are taken: a text or a
    list under a heading of the field's name, a number or a choice behind it."""
    aliases: dict[str, tuple[str, ...]] = {}
    """Further names that a field of the output model has in the text, beside its own and its `title`."""
    required: tuple[str, ...] = ()
    """Fields with a default that the text must have all the same; those without a default it must have anyway."""

    @model_validator(mode="before")
    @classmethod
    def _read_kind_alone(cls, value: object) -> object:
        return {"kind": cast("object", value)} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_text(self) -> "AnswerSettings":
        if self.kind == "json" and (self.aliases or self.required):
            raise ValueError("`aliases` and `required` are for `kind: text`")
        return self
