"""How a prompt file and an item become the messages that are sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jinja2 import TemplateSyntaxError

from llm_assets.config.prompt import PromptSettings
from llm_assets.core.calls import Message, Role
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import Sha256, StepName
from llm_assets.core.prompt_order import SharedPrefix, build_pieces, find_shared_prefix
from llm_assets.core.prompt_texts import PromptText, Template, Use, read_prompt_text
from llm_assets.core.prompt_warnings import list_prompt_warnings
from llm_assets.core.schema_fields import Schema
from llm_assets.core.templating import RENDER_ERRORS, template_environment
from llm_assets.core.upstream import (
    STEPS,
    UnknownField,
    find_undeclared_fields,
    find_unknown_fields,
)
from llm_assets.errors import ConfigError, suggest

ROW_NAMES = frozenset({"row", "row_block"})
GROUP_NAMES = frozenset({"group_key", "group_context"})
STATIC_NAMES = frozenset({"llm_schema"})
JUDGE_NAMES = frozenset({"output", "output_json"})
"""What a judge sees beside the item: the answer it judges."""
NO_NAMES: frozenset[str] = frozenset()
RESERVED_NAMES = ROW_NAMES | GROUP_NAMES | STATIC_NAMES | JUDGE_NAMES
"""Names with a meaning of their own; a column called like one is reached as `row["..."]`."""
BLOCK_NAMES = frozenset({"row", "output"})
"""Names that hold others and are no text themselves."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message of a prompt before it is filled."""

    role: Role
    part: str
    """What it is called in the file: `system`, `messages[0]`, `user`."""
    template: Template
    fixed_text: str | None
    """What it says, rendered once, where it depends on no item."""


class RenderError(ConfigError):
    """A prompt and the values of one item do not go together."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}; nothing was sent.",
            remedy='Columns are reached as `name` or `row["name"]`.',
        )
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt that was checked against the names an item offers."""

    path: str
    sha256: Sha256
    """Of the templates, not of the file: a comment in the file changes nothing."""
    names: frozenset[str]
    """The names its templates use."""
    turns: tuple[Turn, ...]
    static_values: Mapping[str, str] = field(repr=False)
    shared_prefix: SharedPrefix
    """What prompts of one task or one group begin with."""
    warnings: tuple[str, ...] = ()
    """What a person could mend in it."""

    def render(self, values: Mapping[str, object]) -> tuple[Message, ...]:
        """The messages for one item, without empty ones before the last.

        `RenderError` where a template names what the item does not have.
        """
        names = {**values, **self.static_values}
        messages = [
            Message(role=turn.role, content=_render(turn, names, path=self.path))
            for turn in self.turns
        ]
        *leading, last = messages
        return (*(message for message in leading if message.content.strip()), last)


def build_prompt(
    settings: PromptSettings,
    *,
    path: str,
    columns: tuple[str, ...],
    item_names: frozenset[str],
    llm_schema: str,
    upstream: Mapping[StepName, Schema] | None = None,
    has_images: bool = False,
) -> Prompt:
    """Compile a prompt and make sure that every name in it will be there.

    Args:
        settings: The prompt file's content.
        path: Shown in messages.
        columns: The columns the model may see; each is a name of its own where the item is a row.
        item_names: The names of this mode, out of `RESERVED_NAMES`.
        llm_schema: The JSON text of the answer's schema.
        upstream: What the earlier steps of a chain answer, under their names; None for a step that comes first.
        has_images: Whether the item's pictures come with it, so that its words need not be the item's own.

    Raises `ConfigError` naming the file, the name it cannot know, its line and the columns there are.
    """
    is_about_rows = "row" in item_names
    known = item_names | STATIC_NAMES | (frozenset(columns) if is_about_rows else NO_NAMES)
    blocks = BLOCK_NAMES & item_names
    if upstream is not None:
        known, blocks = known | {STEPS}, blocks | {STEPS}
    names = _Names(
        known=known, columns=columns, blocks=blocks, upstream=upstream or {}, has_images=has_images
    )
    return _build(settings, names, path=path, static_values={"llm_schema": llm_schema})


def render_free_prompt(
    settings: PromptSettings, values: Mapping[str, object], *, path: str
) -> tuple[Message, ...]:
    """The messages of a prompt that is about no item, such as the one that proposes a schema."""
    names = _Names(known=frozenset(values), columns=(), blocks=NO_NAMES)
    return _build(settings, names, path=path, static_values={}).render(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the templates of a prompt can use."""

    known: frozenset[str]
    columns: tuple[str, ...]
    blocks: frozenset[str]
    """Those that hold other names and are no text themselves."""
    upstream: Mapping[StepName, Schema] = field(default_factory=dict[StepName, Schema])
    """What the earlier steps of a chain answer."""
    has_images: bool = False

    def find_unknown(self, text: PromptText, settings: PromptSettings) -> list[Use]:
        """The uses that nothing is there for."""
        known = self.known - self.blocks if settings.syntax == "braces" else self.known
        known |= {name for name, _ in self.list_step_fields(text, settings)}
        if "row" not in known:
            return [use for use in text.uses if not use.is_key and use.name not in known]
        return [use for use in text.uses if use.name not in (self.columns if use.is_key else known)]

    def list_step_fields(self, text: PromptText, settings: PromptSettings) -> list[tuple[str, int]]:
        """The plain names such as `steps.extract.people`, with their lines; a column of such a name is a column."""
        if settings.syntax != "braces" or not self.upstream:
            return []
        uses = [use for use in text.uses if use.name not in self.known]
        return [(use.name, use.line) for use in uses if use.name.startswith(f"{STEPS}.")]


def _build(
    settings: PromptSettings,
    names: _Names,
    *,
    path: str,
    static_values: Mapping[str, str],
) -> Prompt:
    texts: list[PromptText] = []
    turns: list[Turn] = []
    for role, part, source in _list_sources(settings):
        text = _read(source, settings, path=path, part=part)
        _check(names.find_unknown(text, settings), names, path=path, part=part)
        if names.upstream:
            fields = names.list_step_fields(text, settings)
            unknown = (
                find_unknown_fields(template_environment.parse(source), names.upstream)
                if settings.syntax == "jinja"
                else find_undeclared_fields(fields, names.upstream)
            )
            _check_fields(list(unknown), settings, path=path, part=part)
        turn = Turn(role=role, part=part, template=text.template, fixed_text=None)
        if text.names <= static_values.keys():
            fixed_text = _render(turn, static_values, path=path)
            turn = replace(turn, fixed_text=fixed_text)
        turns.append(turn)
        texts.append(text)
    segments = [segment for text in texts for segment in text.segments]
    pieces = build_pieces(segments, static=static_values, group_names=GROUP_NAMES)
    return Prompt(
        path=path,
        sha256=_fingerprint(settings),
        names=NO_NAMES.union(*(text.names for text in texts)),
        turns=tuple(turns),
        static_values=static_values,
        shared_prefix=find_shared_prefix(pieces),
        warnings=list_prompt_warnings(
            pieces,
            path=path,
            names=names.known,
            is_jinja=settings.syntax == "jinja",
            has_images=names.has_images,
        ),
    )


def _list_sources(settings: PromptSettings) -> Iterator[tuple[Role, str, str]]:
    if settings.system:
        yield "system", "system", settings.system
    for place, message in enumerate(settings.messages):
        yield message.role, f"messages[{place}]", message.content
    if settings.user is not None:
        yield "user", "user", settings.user


def _fingerprint(settings: PromptSettings) -> Sha256:
    parts: list[object] = [settings.system, settings.user]
    if settings.messages or settings.syntax != "jinja":
        turns = [[message.role, message.content] for message in settings.messages]
        parts += [turns, settings.syntax]
    return fingerprint(parts)


def _read(source: str, settings: PromptSettings, *, path: str, part: str) -> PromptText:
    try:
        return read_prompt_text(source, settings.syntax)
    except TemplateSyntaxError as exc:
        how = (
            '`{% raw %}` keeps braces as they are, `row["a name"]` is a column with blanks.'
            if settings.syntax == "jinja"
            else "Only a plain name can stand between braces."
        )
        raise ConfigError(
            f"Prompt {path!r} cannot be read: {exc.message} (`{part}`, line {exc.lineno}); nothing was sent.",
            remedy=f"Mend the template; {how}",
        ) from exc


def _check(unknown: Sequence[Use], names: _Names, *, path: str, part: str) -> None:
    """Make sure that every name of a template is known."""
    if unknown:
        raise _build_unknown_error(
            [(use.shown, use.line) for use in unknown],
            path=path,
            part=part,
            remedy=_build_remedy(unknown[0].name, names),
        )


def _check_fields(
    unknown: Sequence[UnknownField], settings: PromptSettings, *, path: str, part: str
) -> None:
    """Make sure that what is read of earlier steps can be there."""
    if unknown:
        shown = "{{{{ {} }}}}" if settings.syntax == "jinja" else "{{{}}}"
        uses = [(shown.format(each.expression), each.line) for each in unknown]
        raise _build_unknown_error(uses, path=path, part=part, remedy=unknown[0].remedy)


def _build_unknown_error(
    uses: Sequence[tuple[str, int]], *, path: str, part: str, remedy: str
) -> ConfigError:
    shown = ", ".join(f"{use} (line {line})" for use, line in uses)
    return ConfigError(
        f"Prompt {path!r} uses {shown} in `{part}`, which this task does not have; nothing was sent.",
        remedy=remedy,
    )


def _build_remedy(unknown: str, names: _Names) -> str:
    """What stands where an unknown name was written."""
    known, columns = names.known, names.columns
    hint = suggest(unknown, known.union(columns if "row" in known else ()))
    others = ", ".join(sorted(known.difference(columns)))
    if columns and "row" not in known:
        return f"{hint} An item is a group here; its rows stand in `group_context`. Names: {others}.".strip()
    return f"{hint} Columns: {', '.join(columns) or 'none'}. Other names: {others}.".strip()


def _render(turn: Turn, values: Mapping[str, object], *, path: str) -> str:
    if turn.fixed_text is not None:
        return turn.fixed_text
    try:
        return turn.template.render(values)
    except RENDER_ERRORS as exc:
        raise RenderError(f"Prompt {path!r} cannot be rendered (`{turn.part}`): {exc}") from exc
