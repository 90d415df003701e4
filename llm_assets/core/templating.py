"""How templates are read and filled: values enter as they are, and nothing in them is ever rendered again."""

from collections.abc import Iterator

from jinja2 import StrictUndefined, TemplateError, TemplateRuntimeError, Undefined
from jinja2.runtime import TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llm_assets.core.safe_cells import render_cell

RENDER_ERRORS = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
)
"""What Jinja's own checks raise, and the operators and filters that a template applies to values."""


def _render_expression(value: object) -> object:
    """What an expression of a template becomes; the text of a method or iterator would differ from run to run."""
    if value is None or isinstance(value, bool):
        return render_cell(value)
    if callable(value) and not isinstance(value, Undefined):
        raise TemplateRuntimeError("a method stands where a value should; call it with ()")
    if isinstance(value, Iterator):  # what `map`, `select` and `unique` give
        raise TemplateRuntimeError("a list is not complete; end it with `| list` or `| join`")
    if isinstance(value, TemplateReference):
        raise TemplateRuntimeError('`self` is the template itself; write a column as row["self"]')
    return value


def _build_environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, finalize=_render_expression
    )
    # These draw at random, and the same values have to give the same text.
    del environment.globals["lipsum"]
    del environment.filters["random"]
    return environment


template_environment = _build_environment()
"""Prompts and row templates share it."""
