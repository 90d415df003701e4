"""How a prompt file and an item become the messages that are sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jinja2 import Template, TemplateSyntaxError, meta, nodes

from llm_assets.config.prompt import PromptSettings
from llm_assets.core.calls import Message
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.ids import Sha256
from llm_assets.core.templating import RENDER_ERRORS, template_environment
from llm_assets.errors import ConfigError, suggest

ROW_NAMES = frozenset({"row", "row_block"})
GROUP_NAMES = frozenset({"group_key", "group_context"})
STATIC_NAMES = frozenset({"llm_schema"})
JUDGE_NAMES = frozenset({"output", "output_json"})
"""What a judge sees beside the item: the answer it judges."""
NO_NAMES: frozenset[str] = frozenset()
RESERVED_NAMES = ROW_NAMES | GROUP_NAMES | STATIC_NAMES | JUDGE_NAMES
"""Names with a meaning of their own; a column called like one is reached as `row["..."]`."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt that was checked against the names an item offers."""

    path: str
    sha256: Sha256
    """Of the templates, not of the file: a comment in the file changes nothing."""
    names: frozenset[str]
    """The names its templates use."""
    system: Template
    user: Template
    static_system: str | None
    """The system turn, rendered once, where it depends on no item."""
    static_values: Mapping[str, object] = field(repr=False)

    def render(self, values: Mapping[str, object]) -> tuple[Message, ...]:
        """The messages for one item; `ConfigError` where a template names what the item does not have."""
        names = {**values, **self.static_values}
        system = self.static_system
        if system is None:
            system = _render(self.system, names, path=self.path, part="system")
        user = _render(self.user, names, path=self.path, part="user")
        turns = [Message(role="user", content=user)]
        return (Message(role="system", content=system), *turns) if system.strip() else tuple(turns)


def build_prompt(
    settings: PromptSettings,
    *,
    path: str,
    columns: tuple[str, ...],
    item_names: frozenset[str],
    llm_schema: str,
) -> Prompt:
    """Compile a prompt and make sure that every name in it will be there.

    Args:
        settings: The prompt file's content.
        path: Shown in messages.
        columns: The columns the model may see; each is a name of its own where the item is a row.
        item_names: The names of this mode, out of `RESERVED_NAMES`.
        llm_schema: The JSON text of the answer's schema.

    Raises `ConfigError` naming the file, the name it cannot know and the columns there are.
    """
    is_about_rows = "row" in item_names
    known = item_names | STATIC_NAMES | (frozenset(columns) if is_about_rows else NO_NAMES)
    system_names = _check(settings.system, path=path, part="system", known=known, columns=columns)
    user_names = _check(settings.user, path=path, part="user", known=known, columns=columns)
    static_values: dict[str, object] = {"llm_schema": llm_schema}
    system = template_environment.from_string(settings.system)
    is_static = system_names <= STATIC_NAMES
    return Prompt(
        path=path,
        sha256=fingerprint([settings.system, settings.user]),
        names=system_names | user_names,
        system=system,
        user=template_environment.from_string(settings.user),
        static_system=_render(system, static_values, path=path, part="system")
        if is_static
        else None,
        static_values=static_values,
    )


def render_free_prompt(
    settings: PromptSettings, values: Mapping[str, object], *, path: str
) -> tuple[Message, ...]:
    """The messages of a prompt that is about no item, such as the one that proposes a schema."""
    known = frozenset(values)
    parts = (("system", settings.system), ("user", settings.user))
    used = [_check(text, path=path, part=part, known=known, columns=()) for part, text in parts]
    prompt = Prompt(
        path=path,
        sha256=fingerprint([settings.system, settings.user]),
        names=NO_NAMES.union(*used),
        system=template_environment.from_string(settings.system),
        user=template_environment.from_string(settings.user),
        static_system=None,
        static_values={},
    )
    return prompt.render(values)


def _check(
    text: str, *, path: str, part: str, known: frozenset[str], columns: tuple[str, ...]
) -> frozenset[str]:
    """The names a template uses, all of them known."""
    try:
        template = template_environment.parse(text)
        used = meta.find_undeclared_variables(template)
    except TemplateSyntaxError as exc:
        raise ConfigError(
            f"Prompt {path!r} cannot be read: {exc.message} (`{part}`, line {exc.lineno}); nothing was sent.",
            remedy='Mend the template; `{% raw %}` keeps braces as they are, `row["a name"]` is a column with blanks.',
        ) from exc
    unknown = {name: f"{{{{ {name} }}}}" for name in sorted(used - known)}
    if "row" in used & known:
        keys = sorted(_find_row_keys(template) - frozenset(columns))
        unknown |= {key: f'{{{{ row["{key}"] }}}}' for key in keys}
    if unknown:
        uses = ", ".join(unknown.values())
        raise ConfigError(
            f"Prompt {path!r} uses {uses} in `{part}`, which this task does not have; nothing was sent.",
            remedy=_build_remedy(next(iter(unknown)), known=known, columns=columns),
        )
    return frozenset(used)


def _find_row_keys(template: nodes.Template) -> frozenset[str]:
    """The columns that a template reaches as `row["name"]` or `row.name`."""
    if any(name.name == "row" and name.ctx != "load" for name in template.find_all(nodes.Name)):
        return frozenset()  # the template gives the name a meaning of its own
    keys: set[str] = set()
    for node in template.find_all((nodes.Getitem, nodes.Getattr)):
        target = node.node
        if not isinstance(target, nodes.Name) or target.name != "row":
            continue
        if isinstance(node, nodes.Getattr) and not hasattr(dict, node.attr):
            keys.add(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            keys.add(str(node.arg.value))
    return frozenset(keys)


def _build_remedy(unknown: str, *, known: frozenset[str], columns: tuple[str, ...]) -> str:
    """What stands where an unknown name was written."""
    hint = suggest(unknown, known.union(columns if "row" in known else ()))
    others = ", ".join(sorted(known.difference(columns)))
    if columns and "row" not in known:
        return f"{hint} An item is a group here; its rows stand in `group_context`. Names: {others}.".strip()
    return f"{hint} Columns: {', '.join(columns) or 'none'}. Other names: {others}.".strip()


def _render(template: Template, values: Mapping[str, object], *, path: str, part: str) -> str:
    render: Callable[..., str] = template.render
    try:
        return render(values)
    except RENDER_ERRORS as exc:
        raise ConfigError(
            f"Prompt {path!r} cannot be rendered (`{part}`): {exc}; nothing was sent.",
            remedy='Columns are reached as `name` or `row["name"]`.',
        ) from exc
