"""`abierto ps` and `abierto stop`: what the running server holds, and the end of it."""

import sys
from threading import Event
from typing import Any

from abierto import locale
from abierto.cli import out
from abierto.cli.words import argument, command, option
from abierto.errors import ServerNotRunning, UsageFault
from abierto.locale import text
from abierto.locale.numbers import count, duration, rate, size
from abierto.runtime import serving
from abierto.runtime.serving import Server, told

COLUMNS = ("model", "process", "estimate", "memory", "context", "users", "speed", "left")
SECONDS = 1.0  # between two looks
CLEAR = "\x1b[H\x1b[2J"


@command("ps")
@option("--json", "as_json", is_flag=True)
@option("--watch", is_flag=True)
def ps(as_json: bool, watch: bool) -> None:
    """Show what the server has loaded, once or until Ctrl-C."""
    server = serving.running()
    try:
        while True:
            status = server.ask("GET", "/status")
            if watch and not as_json and out.is_terminal(sys.stdout):
                sys.stdout.write(CLEAR)
            if as_json:
                out.as_json(status)
            else:
                _show(server, status)
            if not watch:
                return
            Event().wait(SECONDS)
    except KeyboardInterrupt:
        if not watch:
            raise


@command("stop")
@argument("loaded", required=False)
@option("--server", "whole", is_flag=True)
def stop(loaded: str | None, whole: bool) -> None:
    """Let a model go, or end the server."""
    if whole == bool(loaded):
        raise UsageFault("missing", {"name": text("stop.what")})
    server = serving.running()
    if loaded:
        server.ask("POST", "/models/unload", {"model": loaded})
        out.note(text("stop.model", model=loaded))
        return
    server.ask("POST", "/stop")
    while _is_there(server):
        Event().wait(0.05)
    out.note(text("stop.server", address=server.address))


def _is_there(server: Server) -> bool:
    try:
        server.ask("GET", "/status")
    except ServerNotRunning:
        return False
    return True


def _show(server: Server, status: dict[str, Any]) -> None:
    memory = status["memory"]
    facts = {"address": server.address, "free": size(memory["available"]), "total": size(memory["total"])}
    if status["residents"]:
        out.table([text(f"ps.{column}") for column in COLUMNS], [_row(one) for one in status["residents"]])
        out.note(text("ps.free", process=server.pid, **facts))
    else:
        out.note(text("ps.nothing", **facts))
    for one in status["residents"]:
        if one["reduced_context"]:
            out.note(f"{one['model']}: {text('server.smaller_context', context=count(one['reduced_context']))}")
    for one in status["absent"]:
        # The server words it in its own language, which may be another one than that of who looks.
        why = " ".join(locale.tell(told(one))) if "code" in one else ""
        out.note(text(f"ps.absent.{one['reason']}", model=one["model"], why=why))


def _row(one: dict[str, Any]) -> list[str]:
    if one["state"] != "ready":
        return [one["model"], *[""] * (len(COLUMNS) - 2), text("ps.loading")]
    users = "ps.waiting" if one["waiting"] else "ps.of"
    return [
        one["model"],
        str(one["process_id"]),
        size(one["estimate"]) if one["estimate"] else "",
        size(one["memory"]),
        count(one["context"]),
        text(users, users=one["users"], most=one["max_users"], waiting=one["waiting"]),
        _speed(one),
        _left(one),
    ]


def _speed(one: dict[str, Any]) -> str:
    if not one["speed"]:
        return ""
    step = one["step_seconds"]
    told = f"{count(round(step * 1000))} ms" if step >= 0.0005 else "< 1 ms"
    return text("ps.step", speed=rate(one["speed"], "token"), step=told)


def _left(one: dict[str, Any]) -> str:
    if one["pinned"]:
        return text("ps.pinned")
    if one["users"] or one["waiting"]:
        return text("ps.in_use")
    return text("ps.forever") if one["seconds_left"] is None else duration(one["seconds_left"])
