"""The command line: one file for each noun. This one starts it and words what goes wrong."""

import sys

from abierto import __version__, config, locale
from abierto.cli import out
from abierto.cli.words import Group, usage_fault
from abierto.errors import AbiertoError, Cancelled, InvalidSetting

# Command -> the module that holds it, imported when it is called; the order is that of the help.
COMMANDS = {
    "chat": "abierto.cli.chat",
    "draw": "abierto.cli.draw",
    "pull": "abierto.cli.pull",
    "models": "abierto.cli.models",
    "show": "abierto.cli.show",
    "inspect": "abierto.cli.inspect",
    "openness": "abierto.cli.openness",
    "remove": "abierto.cli.models",
    "quantize": "abierto.cli.quantize",
    "convert": "abierto.cli.convert",
    "recipe": "abierto.cli.recipe",
    "rebuild": "abierto.cli.rebuild",
    "trace": "abierto.cli.trace",
    "fit": "abierto.cli.fit",
    "recommend": "abierto.cli.recommend",
    "tune": "abierto.cli.tune",
    "serve": "abierto.cli.serve",
    "ps": "abierto.cli.ps",
    "stop": "abierto.cli.ps",
    "token": "abierto.cli.token",
    "logs": "abierto.cli.logs",
    "key": "abierto.cli.key",
    "forget": "abierto.cli.forget",
    "doctor": "abierto.cli.doctor",
    "licenses": "abierto.cli.licenses",
}


def main() -> None:
    """Run the command line and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line. Returns the exit status: 0, or that of the error that was shown."""
    import click

    locale.use(config.system_language())
    _make_output_safe()
    try:
        locale.use(_language())
        Group(COMMANDS, __version__).main(arguments, prog_name="abierto", standalone_mode=False)
    except AbiertoError as error:
        out.error(error)
        return error.exit_status
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.ClickException as error:
        fault = usage_fault(error)
        out.error(fault)
        return fault.exit_status
    except (KeyboardInterrupt, click.Abort):
        out.error(Cancelled())
        return Cancelled.exit_status
    except BrokenPipeError:
        return _output_closed()
    return 0


def _language() -> str:
    try:
        return config.settings().language or config.system_language()
    except InvalidSetting:
        # The command itself will say so, if it needs a setting; help and the doctor do not.
        return config.system_language()


def _make_output_safe() -> None:
    # A terminal or a pipe in an old encoding gets question marks, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _output_closed() -> int:
    # `abierto ... | head -1`: the reader has enough. Python would complain once more when it flushes at exit.
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
