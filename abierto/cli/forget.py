"""`abierto forget`: delete what Abierto remembers: conversations, typed lines, records of runs and pulls."""

import re
from datetime import UTC, datetime, timedelta

from abierto import config
from abierto.cli import out
from abierto.cli.words import argument, command, option
from abierto.errors import UnknownConversation, UsageFault
from abierto.journal import CONVERSATIONS, LINES, PULLS, RUNS, TUNINGS, Journal
from abierto.locale import text
from abierto.locale.numbers import count
from abierto.runtime import choice

KINDS = {"conversations": CONVERSATIONS, "lines": LINES, "runs": RUNS, "pulls": PULLS, "tunings": TUNINGS}


@command("forget")
@argument("conversation", required=False)
@option("--all", "everything", is_flag=True)
@option("--conversations", is_flag=True)
@option("--lines", is_flag=True)
@option("--runs", is_flag=True)
@option("--pulls", is_flag=True)
@option("--tunings", is_flag=True)
@option("--before", metavar="DATE")
@option("--yes", is_flag=True)
def forget(conversation: str | None, everything: bool, before: str | None, yes: bool, **kinds: bool) -> None:
    """Delete one conversation by name or number, or all rows of the chosen kinds."""
    journal = Journal.at(config.folders().data, config.settings().journal)
    if conversation is not None:
        _forget_one(journal, conversation, yes)
        return
    chosen = [kind for kind in KINDS if everything or kinds[kind]]
    if not chosen:
        raise UsageFault("forget_what")
    limit = _time(before) if before else None
    named = ", ".join(text(f"forget.{kind}") for kind in chosen)
    question = (
        text("forget.question_before", kinds=named, date=before) if before else text("forget.question", kinds=named)
    )
    if not yes and not out.confirm(question, option="--yes"):
        out.note(text("forget.kept"))
        return
    if "tunings" in chosen and not before:
        choice.forget()
    for kind in chosen:
        out.say(
            text("forget.done", kind=text(f"forget.{kind}"), count=count(journal.forget(KINDS[kind], before=limit)))
        )


def _forget_one(journal: Journal, name: str, yes: bool) -> None:
    found = journal.conversation(name)
    if found is None:
        raise UnknownConversation(name, [other.name for other in journal.conversations() if other.name][:3])
    if not yes and not out.confirm(text("forget.question_one", title=found.name or found.title), option="--yes"):
        out.note(text("forget.kept"))
        return
    journal.forget(CONVERSATIONS, number=found.id)
    out.say(text("forget.done_one", title=found.name or found.title))


def _time(told: str) -> str:
    """`2026-11-01`, or an age such as `30d`, as the journal writes times."""
    if age := re.fullmatch(r"(\d{1,5})d", told):
        return (datetime.now(UTC) - timedelta(days=int(age[1]))).isoformat(timespec="milliseconds")
    try:
        moment = datetime.fromisoformat(told)
    except ValueError as error:
        raise UsageFault("no_date", {"date": told}) from error
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
