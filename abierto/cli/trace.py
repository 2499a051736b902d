"""`abierto trace`: which drawings of the training set an image is nearest to, and whom they are by."""

from dataclasses import asdict

from abierto import locale
from abierto.cli import out
from abierto.cli.training import folder_of, needs_training
from abierto.cli.words import argument, command, option
from abierto.locale import text
from abierto.locale.numbers import decimal
from abierto.runtime import sight


@command("trace")
@argument("image")
@option("--count", says="neighbors", type=int, default=5, metavar="N")
@option("--published", metavar="FOLDER")
@option("--json", "as_json", is_flag=True)
def trace(image: str, count: int, published: str | None, as_json: bool) -> None:
    """List the nearest drawings by either measure."""
    with needs_training():
        from abierto.recipes.trazo import tracing
    content = sight.read(image)
    found = tracing.trace(content, folder_of(published, must_exist=True), count)
    if as_json:
        out.as_json([asdict(one) for one in found])
        return
    headings = [text(f"trace.{column}") for column in ("measure", "likeness", "drawing", "set", "author", "license")]
    out.table(
        headings,
        [
            (text(f"trace.by.{one.measure}"), decimal(one.likeness, 2), one.labels[locale.current()], one.family,
             one.author, one.license)
            for one in found
        ],
    )  # fmt: skip
    out.note(text("trace.meaning"))
