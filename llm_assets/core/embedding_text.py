"""What of a published record is embedded, and by what it is known to be the same record still."""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Template, TemplateError, meta
from pydantic import JsonValue

from llm_assets.config.embed import EmbedSettings
from llm_assets.core.characters import replace_unstorable
from llm_assets.core.fingerprint import fingerprint, render_json
from llm_assets.core.ids import Sha256
from llm_assets.core.safe_cells import render_cell
from llm_assets.core.scoring import find_value
from llm_assets.core.templating import RENDER_ERRORS, template_environment
from llm_assets.core.upstream import StepFields
from llm_assets.errors import ConfigError, suggest

NAMES = ("input", "output")
"""What a template knows."""
BLANK = "There is no text to embed: every value it is made of is empty."


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddableRecord:
    """A published record on its way into the vector store."""

    record_id: str
    """Unique in its batch."""
    text: str
    """Empty where there is a problem."""
    problem: str | None
    """Why there is no text, in a sentence."""
    payload: str
    """What is found with it, as a JSON object."""
    content_sha256: Sha256
    """Of all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingText:
    """How the text of a record is made; compiled once for all records."""

    template: Template | None
    fields: tuple[str, ...]
    """Without a template and without these it is every field of the output."""
    sha256: Sha256
    """Of what the config says."""

    def build_record(
        self,
        record_id: str,
        *,
        input_values: Mapping[str, JsonValue],
        output: Mapping[str, JsonValue],
    ) -> EmbeddableRecord:
        """The record with its text; where that cannot be made it has a problem in its place."""
        payload = render_json({"input": input_values, "output": output})
        problem = None
        try:
            text = replace_unstorable(self._render(input_values, output)).strip()
        except RENDER_ERRORS as exc:
            text, problem = "", f"`embed.text` cannot be rendered for it: {exc}."
        if not text and problem is None:
            problem = BLANK
        return EmbeddableRecord(
            record_id=record_id,
            text=text,
            problem=problem,
            payload=payload,
            content_sha256=fingerprint([text, payload]),
        )

    def _render(
        self, input_values: Mapping[str, JsonValue], output: Mapping[str, JsonValue]
    ) -> str:
        if self.template is not None:
            return self.template.render(input=StepFields(input_values), output=StepFields(output))
        sources = {"input": input_values, "output": output}
        names = self.fields or tuple(f"output.{name}" for name in output)
        lines: list[str] = []
        for name in names:
            source, _, path = name.partition(".")
            text = render_value(find_value(sources[source], path))
            lines += [f"{path}: {text}"] if text else []
        return "\n".join(lines)


def build_embedding_text(embed: EmbedSettings) -> EmbeddingText:
    """Compile what `embed` says of the text; `ConfigError` for a template that cannot be read or uses other names."""
    template = None if embed.text is None else _compile(embed.text)
    return EmbeddingText(
        template=template,
        fields=embed.fields,
        sha256=fingerprint([embed.text, embed.fields]),
    )


def render_value(value: JsonValue) -> str:
    """A value as words: a list of plain values with commas between them, anything deeper as JSON."""
    if isinstance(value, list):
        plain = [each for each in value if not isinstance(each, list | dict)]
        if len(plain) == len(value):
            return ", ".join(filter(None, map(render_cell, plain)))
    if isinstance(value, list | dict):
        return render_json(value)
    return render_cell(value).strip()


def _compile(source: str) -> Template:
    try:
        names = meta.find_undeclared_variables(template_environment.parse(source))
        template = template_environment.from_string(source)
    except TemplateError as exc:
        raise _build_error(f"cannot be read: {exc}.") from exc
    unknown = sorted(names - {*NAMES, *template_environment.globals})
    if unknown:
        hint = suggest(unknown[0], NAMES)
        raise _build_error(f"uses {unknown[0]!r}, which is not there.", hint=hint)
    return template


def _build_error(problem: str, *, hint: str = "") -> ConfigError:
    remedy = "Use `input.<column>` and `output.<field>`."
    return ConfigError(f"`embed.text` {problem}", remedy=f"{hint} {remedy}".strip())
