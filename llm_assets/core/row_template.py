"""How one row of a group stands in its context, where a person has a template for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Template, TemplateError, meta

from llm_assets.core.context import quote_all, render_columns, render_row_block
from llm_assets.core.templating import RENDER_ERRORS, template_environment
from llm_assets.core.values import Scalar
from llm_assets.errors import ConfigError, suggest

OLD_ROW_BLOCK = re.compile(r"(?<!\{)\{__ROW_KV_BLOCK__\}(?!\})")
"""The older spelling of `{{ row_block }}`."""

_OWN_NAMES = frozenset({"row", "row_block"})
"""A column called like one of these is reached as `row["..."]`."""


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
        except RENDER_ERRORS as exc:
            problem = f"cannot be rendered for the row at line {line} of the input: {exc}."
            raise _build_error(problem, self.columns) from exc


def build_row_template(source: str, columns: tuple[str, ...]) -> RowTemplate:
    """Compile a row template over the visible `columns`.

    It can use `row_block`, columns by their names and `row["any name"]`. A syntax error or an unknown name is a
    `ConfigError` before any row is rendered.
    """
    source = OLD_ROW_BLOCK.sub("{{ row_block }}", source).removesuffix("\n")
    try:
        names = meta.find_undeclared_variables(template_environment.parse(source))
        template = template_environment.from_string(source)
    except TemplateError as exc:
        raise _build_error(f"cannot be read: {exc}.", columns) from exc
    unknown = sorted(names - _OWN_NAMES.union(columns, template_environment.globals))
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
