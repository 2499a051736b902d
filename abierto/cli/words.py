"""click, in the person's language: headings, help texts and complaints come from `abierto/locale`.

Help for a command `x` is `command.x`, for an option `--some-name` of any command `option.some_name`.
"""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import click

from abierto.errors import UsageFault
from abierto.locale import text

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


class _Formatter(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix=f"{text('help.usage')}: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(text(f"help.{heading.lower()}"))


class _Context(click.Context):
    formatter_class = _Formatter


def _in_our_words(help_option: click.Option | None) -> click.Option | None:
    if help_option:
        help_option.help = text("option.help")
    return help_option


class Command(click.Command):
    """A command whose words are looked up by its name."""

    context_class = _Context

    def __init__(self, name: str, **facts: Any) -> None:
        # In place of the docstring of its function, which is for readers of the source.
        facts["help"] = text(f"command.{name}.help")
        super().__init__(name, options_metavar=text("help.options_metavar"), **facts)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _in_our_words(super().get_help_option(ctx))


class Group(click.Group):
    """All commands, by name; a command's module is imported when the command is called."""

    context_class = _Context

    def __init__(self, modules: Mapping[str, str], version: str) -> None:
        super().__init__("abierto", help=text("command.abierto.help"))
        self.options_metavar = text("help.options_metavar")
        self.subcommand_metavar = text("help.subcommand_metavar")
        self._modules = modules
        shown = click.version_option(
            version, prog_name="abierto", message="%(prog)s %(version)s", help=text("option.version")
        )
        shown(self)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _in_our_words(super().get_help_option(ctx))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return None
        found: click.Command = getattr(import_module(self._modules[cmd_name]), cmd_name)
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in self._modules and not args[0].startswith("-"):
            raise UsageFault("no_such_command", {"name": args[0], "near": _near(args[0], self._modules)})
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text(f"command.{name}")) for name in self._modules])


def command(name: str) -> Callable[[Callable[..., None]], Command]:
    """Make a function the command of this name."""

    def wrap(function: Callable[..., None]) -> Command:
        return click.command(name, cls=Command)(function)

    return wrap


def option(*names: str, says: str = "", **facts: Any) -> Decorator:
    """An option whose help is looked up by its first long name, and the name of its value too.

    says: the key of the help, where a command means something of its own by a name that another has as well.
    """
    if "metavar" in facts:
        facts["metavar"] = text(f"metavar.{facts['metavar'].lower()}")
    long = next(name for name in names if name.startswith("--"))
    return click.option(*names, help=text(f"option.{says or long[2:].replace('-', '_')}"), **facts)


def argument(name: str, **facts: Any) -> Decorator:
    """An argument, named in the person's language."""
    return click.argument(name, metavar=text(f"argument.{name}"), **facts)


def usage_fault(error: click.ClickException) -> UsageFault:
    """What click complains about, as an error of ours."""
    match error:
        case click.NoSuchOption():
            near = ", ".join(error.possibilities or ())
            return UsageFault(
                "no_such_option", {"name": error.option_name, "near": text("usage.near", near=near) if near else ""}
            )
        case click.MissingParameter():
            return UsageFault("missing", {"name": _shown(error)})
        case click.BadOptionUsage():
            return UsageFault("needs_value", {"name": error.option_name})
        case click.BadParameter():
            return UsageFault("bad_value", {"name": _shown(error), "value": _value(error)})
        case _ if error.__cause__ is None and isinstance(error, click.UsageError) and error.ctx and error.ctx.args:
            return UsageFault("too_many", {"values": " ".join(error.ctx.args)})
        case _:
            return UsageFault("other", {"detail": error.format_message()})


def _shown(error: click.BadParameter) -> str:
    parameter = error.param
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return str(parameter.metavar).strip("[]") if isinstance(parameter, click.Argument) else ""


def _value(error: click.BadParameter) -> str:
    # click quotes the value in its message and gives it nowhere else.
    quoted = re.search(r"'(.*?)'|(?<=^)(\S+) is not in", error.message)
    return next(filter(None, quoted.groups()), "") if quoted else error.message


def _near(name: str, known: Mapping[str, str]) -> str:
    from difflib import get_close_matches

    return ", ".join(get_close_matches(name, known)) or ", ".join(known)
