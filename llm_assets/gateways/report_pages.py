"""How a report becomes the page that opens in a browser."""

from llm_assets.core.report import Report
from llm_assets.core.report_index import ReportIndex
from llm_assets.core.report_page import ReportPage
from llm_assets.gateways.pages.rendering import render_page

INDEX_NAME = "index.html"
"""The page over all batches, beside theirs."""


def render_report_html(page: ReportPage) -> str:
    """The whole page as one file."""
    return render_page(
        "report.html.jinja",
        style="style.css",
        scripts=("report.js",),
        page=page,
        origin=_list_origin(page.report),
        index_name=INDEX_NAME,
    )


def _list_origin(report: Report) -> list[tuple[str, str, str]]:
    """What each thing is, its name, and the hash of what it was."""
    config, outputs, judge = report.config, report.outputs, report.judge
    origin = [
        ("Input", report.input.input_path, report.input.sha256),
        ("Config", config.config_path, config.config_sha256),
        ("Prompt", outputs.prompt_path, outputs.prompt_sha256),
        ("Schema", config.schema_path, outputs.schema_sha256),
        ("Endpoint", outputs.endpoint, ""),
        ("Model", outputs.model, ""),
        ("Structured output", outputs.structured_output, ""),
    ]
    if judge is not None:
        origin += [
            ("Judge's prompt", judge.prompt_path or "", judge.prompt_sha256 or ""),
            ("Judge's endpoint", judge.endpoint or "", ""),
            ("Judge's model", judge.model, ""),
        ]
    return origin


def render_index_html(index: ReportIndex) -> str:
    """The page over all batches as one file."""
    return render_page(
        "index.html.jinja", style="style.css", scripts=("search.js", "index.js"), index=index
    )
