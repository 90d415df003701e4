"""How one row of a group stands in its context, where a person has a template for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import StrictUndefined, Template, TemplateError, TemplateRuntimeError, Undefined, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llm_assets.core.context import quote_all, render_columns, render_row_block, render_scalar
from llm_assets.core.values import Scalar
from llm_assets.errors import ConfigError, suggest

OLD_ROW_BLOCK = re.compile(r"(?<!\{)\{__ROW_KV_BLOCK__\}(?!\})")
"""The older spelling of `{{ row_block }}`."""

_OWN_NAMES = frozenset({"row", "row_block"})
"""A column called like one of these is reached as `row["..."]`."""

_RENDER_ERRORS = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
)
"""What Jinja's own checks raise, and the operators and filters that a template applies to values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTemplate:
    """`context.row_template`, compiled once for all rows.

    Values enter the text as they are: what looks like a template inside a cell is never rendered.
    """

    template: Template
    columns: tuple[str, ...]
    """The visible ones; the template can use no others."""

    def render(self, values: Mapping[str, Scalar], *, line: int) -> str:
        """One row's text; a `ConfigError` with the row's `line` in the input where the template fails on it."""
        block = render_row_block(values, self.columns)
        try:
            return self.template.render({**values, "row": values, "row_block": block})
        except _RENDER_ERRORS as exc:
            problem = f"cannot be rendered for the row at line {line} of the input: {exc}."
            raise _build_error(problem, self.columns) from exc


def build_row_template(source: str, columns: tuple[str, ...]) -> RowTemplate:
    """Compile a row template over the visible `columns`.

    It can use `row_block`, columns by their names and `row["any name"]`. A syntax error or an unknown name is a
    `ConfigError` before any row is rendered.
    """
    source = OLD_ROW_BLOCK.sub("{{ row_block }}", source)
    try:
        names = meta.find_undeclared_variables(_environment.parse(source))
        template = _environment.from_string(source)
    except TemplateError as exc:
        raise _build_error(f"cannot be read: {exc}.", columns) from exc
    unknown = sorted(names - _OWN_NAMES.union(columns, _environment.globals))
    if unknown:
        problem = f"uses {quote_all(unknown)}, which is no column that the model may see."
        raise _build_error(problem, columns, hint=suggest(unknown[0], [*columns, *_OWN_NAMES]))
    return RowTemplate(template=template, columns=columns)


def _build_error(problem: str, columns: tuple[str, ...], *, hint: str = "") -> ConfigError:
    remedy = 'Use `row_block`, a column by its name, or `row["a name"]` where a name has blanks.'
    return ConfigError(
        f"`context.row_template` {problem} {render_columns(columns)}",
        remedy=f"{hint} {remedy}".strip(),
    )


def _render_expression(value: object) -> object:
    """What an expression of a template becomes; the text of a method would differ from run to run."""
    if value is None or isinstance(value, bool):
        return render_scalar(value)
    if callable(value) and not isinstance(value, Undefined):
        raise TemplateRuntimeError("a method stands where a value should; call it with ()")
    return value


def _build_environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=_render_expression
    )
    # These draw at random, and the same rows have to give the same text.
    del environment.globals["lipsum"]
    del environment.filters["random"]
    return environment


_environment = _build_environment()
