"""A report as one HTML page: to read, for a lawyer to check, and to print. It loads nothing and runs nothing."""

from collections.abc import Iterator
from html import escape
from urllib.parse import urlsplit

from abierto.catalog.openness import badge, words
from abierto.catalog.openness.report import Report
from abierto.catalog.openness.words import Line, Section
from abierto.locale import current, text

# Outcome -> one of four colours. The words say the same, so that nobody needs the colours.
_TONES = {
    "good": ("present", "met", "pass", "open", "granted", "there"),
    "part": ("review", "partial", "limited", "told", "unclear", "applies", "change_license", "state_license"),
    "bad": ("not_met", "fail", "closed", "absent", "publish"),
}
_TONE = {outcome: tone for tone, outcomes in _TONES.items() for outcome in outcomes}
_STYLE = """
:root{color-scheme:light dark;--ink:#1c1c1c;--paper:#fff;--line:#d0d0d0;--soft:#595959;--good:#1b6e3c;--part:#7a5c00;
--bad:#9b1c1c}
@media(prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#17181a;--line:#3c3e42;--soft:#b0b0b0;--good:#7fd6a0;
--part:#e6c35c;--bad:#f2a3a3}}
body{margin:2rem auto;max-width:64rem;padding:0 1rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem}h2{margin-top:2.2rem;font-size:1.15rem}
p.rules,p.made,td.where{color:var(--soft)}
table{width:100%;border-collapse:collapse;table-layout:fixed}
td,th{padding:.35rem .6rem .35rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top;
overflow-wrap:anywhere}
th{width:24%;font-weight:600}td.said{width:18%}td.where{width:28%;font-size:.85rem}
.good{color:var(--good)}.part{color:var(--part)}.bad{color:var(--bad)}
td.said{font-weight:600}
@media(max-width:42rem){table,tbody,tr,th,td{display:block;width:auto!important;border:0;padding:0}
tr{border-top:1px solid var(--line);padding:.5rem 0}}
@media print{body{margin:0;max-width:none;font-size:.8rem}h2{break-after:avoid}tr{break-inside:avoid}}
""".strip()


def html(report: Report, made: str) -> str:
    """The page. made: by what and when, as it shall be read."""
    title = escape(text("openness.title", name=report.inventory.name))
    # What the page holds came from files of strangers: nothing in it may load or run.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>{title}</title><style>{_STYLE}</style>'
    )
    parts = "".join(_section(section) for section in words.sections(report))
    body = f'<main><h1>{title}</h1>{badge.svg(report)}{parts}<p class="made">{escape(made)}</p></main>'
    return f'<!doctype html>\n<html lang="{current()}"><head>{head}</head><body>{body}</body></html>\n'


def _section(section: Section) -> str:
    rules = escape(text("openness.version", version=section.version)) if section.version else ""
    told = f'<p class="rules">{rules}</p>' if rules else ""
    rows = "".join(_rows(section.lines))
    return f"<section><h2>{escape(section.title)}</h2>{told}<table><tbody>{rows}</tbody></table></section>"


def _rows(lines: tuple[Line, ...]) -> Iterator[str]:
    for line in lines:
        if not line.said and not line.why and not line.where:
            yield f'<tr><td colspan="4">{escape(line.label)}</td></tr>'
            continue
        tone = _TONE.get(line.outcome, "")
        yield (
            f'<tr><th scope="row">{escape(line.label)}</th><td class="said {tone}">{escape(line.said)}</td>'
            f'<td>{escape(line.why)}</td><td class="where">{_linked(line.where)}</td></tr>'
        )


def _linked(where: str) -> str:
    """The words, with addresses as links that say nothing of where they were followed from."""
    pieces = []
    for piece in where.split(" "):
        address = piece.rstrip(",;.)")
        parts = urlsplit(address) if address.startswith(("https://", "http://")) else None
        if parts and parts.hostname:
            link = f'<a rel="noreferrer noopener" href="{escape(address)}">{escape(address)}</a>'
            pieces.append(link + escape(piece[len(address) :]))
        else:
            pieces.append(escape(piece))
    return " ".join(pieces)
