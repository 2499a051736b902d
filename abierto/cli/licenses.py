"""`abierto licenses`: every package and every pulled model, with its licence."""

from abierto.cli import out
from abierto.cli.words import command, option
from abierto.locale import text
from abierto.runtime.licenses import licenses as all_licenses


@command("licenses")
@option("--json", "as_json", is_flag=True)
def licenses(as_json: bool) -> None:
    """List what is installed for Abierto and what was pulled."""
    rows = [one._replace(license=one.license or text("word.unknown")) for one in all_licenses()]
    if as_json:
        out.as_json([one._asdict() for one in rows])
        return
    headings = [text(f"licenses.{column}") for column in ("kind", "name", "license")]
    out.table(headings, [(text(f"licenses.{one.kind}"), one.name, one.license) for one in rows])
