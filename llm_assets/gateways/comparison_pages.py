"""How a comparison becomes a page that opens in a browser."""

from llm_assets.core import comparison_text
from llm_assets.core.comparison import Comparison
from llm_assets.gateways.pages.rendering import render_page


def render_comparison_html(comparison: Comparison) -> str:
    """The whole page as one file, under the same content policy as a report's."""
    return render_page(
        "comparison.html.jinja",
        style="style.css",
        scripts=("search.js",),
        comparison=comparison,
        notes=comparison_text.list_notes(comparison),
        say=comparison_text,
    )
