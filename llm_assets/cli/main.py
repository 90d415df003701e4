"""The command line `llm-assets`: parse, call, print."""

import sys

import click

from llm_assets.cli.clean import clean
from llm_assets.cli.compare import compare
from llm_assets.cli.doctor import doctor
from llm_assets.cli.offline_server import offline_server
from llm_assets.cli.plan import plan
from llm_assets.cli.report import report
from llm_assets.cli.review import review
from llm_assets.cli.run import run
from llm_assets.cli.search import search
from llm_assets.cli.show import show
from llm_assets.cli.spend import spend
from llm_assets.cli.status import status
from llm_assets.cli.trace import trace
from llm_assets.errors import LLMAssetsError

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="llm-assets")
def cli() -> None:
    """A table in, an LLM's checked answer for every row out.

    Exit codes: 0 all is well, 1 some items have no accepted output, 2 a mistake in the usage, a config or the
    input, 3 the endpoint or a budget stopped the run.
    """


cli.add_command(run)
cli.add_command(plan)
cli.add_command(status)
cli.add_command(show)
cli.add_command(search)
cli.add_command(trace)
cli.add_command(compare)
cli.add_command(report)
cli.add_command(review)
cli.add_command(spend)
cli.add_command(clean)
cli.add_command(doctor)
cli.add_command(offline_server)


def main() -> None:
    """Run a command; a person's mistake is told in a sentence, without a stack trace."""
    try:
        cli(standalone_mode=False)
    except LLMAssetsError as exc:
        click.echo(f"Error: {exc}", err=True)
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped. Every answered call is kept; run again to go on.", err=True)
        sys.exit(EXIT_INTERRUPTED)
