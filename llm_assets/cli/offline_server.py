"""`llm-assets offline-server`: the offline model over HTTP."""

import click


@click.command("offline-server")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8765, show_default=True, help="The port; 0 takes a free one.")
@click.option(
    "--misbehave",
    default="",
    help="Troubles to make, such as `rate_limited=0.05,latency_seconds=0.2`.",
)
def offline_server(host: str, port: int, misbehave: str) -> None:
    """Serve the offline model until Ctrl-C, to try clients and their patience against it."""
    from llm_assets.gateways.offline_model.app import build_app
    from llm_assets.gateways.offline_model.misbehaviour import parse_misbehaviour
    from llm_assets.gateways.offline_model.serve import serve

    serve(build_app(parse_misbehaviour(misbehave)), host, port)
