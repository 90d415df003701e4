"""The command line `llm-assets`: parse, call, print."""

import sys
from importlib import import_module

import click

from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.garbage import collect_garbage_seldom

COMMANDS = (
    "run",
    "plan",
    "status",
    "show",
    "search",
    "trace",
    "compare",
    "report",
    "review",
    "spend",
    "clean",
    "doctor",
    "offline-server",
)
"""Each is the function of its name in the module of its name."""
EXIT_INTERRUPTED = 130


class Commands(click.Group):
    """Imports a command when it is asked for: what the others need takes half a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- as click calls it
        """The names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- as click calls it
        """The command of this name, or none."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"llm_assets.cli.{name}"), name)
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="llm-assets")
def cli() -> None:
    """A table in, an LLM's checked answer for every row out.

    Exit codes: 0 all is well, 1 some items have no accepted output, 2 a mistake in the usage, a config or the
    input, 3 the endpoint or a budget stopped the run.
    """


def main() -> None:
    """Run a command; a person's mistake is told in a sentence, without a stack trace."""
    try:
        with collect_garbage_seldom():
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
