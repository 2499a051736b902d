"""A badge in SVG for a model's page: its class by evidence, what the definition of open source says, and the licence of
its weights. Three things side by side, since there is no number for all of them."""

from xml.sax.saxutils import escape

from abierto.catalog.openness.report import Report
from abierto.locale import text

HEIGHT = 20  # pixels
_WIDE = 6.6  # pixels of a character of 11 pixels in DejaVu Sans or Verdana, at most on average
_PAD = 8
_LABEL, _GOOD, _PART, _PLAIN = "#444444", "#1b6e3c", "#7a5c00", "#5a5a5a"  # white upon each: contrast above 4.5
_OUTCOMES = {"met": _GOOD, "review": _PART, "not_met": _PLAIN, "not_shown": _PLAIN}


def svg(report: Report) -> str:
    """The picture, with its words as text, for eyes and for screen readers."""
    license_ = report.inventory["weights"].license or text("openness.without_license")
    cells = [
        ("MOF", text(f"openness.badge.class.{report.mof_strict.level}"), _GOOD if report.mof_strict.level else _PLAIN),
        ("OSAID", text(f"openness.outcome.{report.osi.outcome}"), _OUTCOMES[report.osi.outcome]),
        (text("openness.badge.weights"), license_, _PLAIN),
    ]
    said = ", ".join(f"{label}: {value}" for label, value, _ in cells)
    parts, left = [], 0.0
    for label, value, colour in cells:
        for words, fill in ((label, _LABEL), (value, colour)):
            width = len(words) * _WIDE + 2 * _PAD
            parts.append(f'<rect x="{left:.1f}" width="{width:.1f}" height="{HEIGHT}" fill="{fill}"/>')
            parts.append(f'<text x="{left + width / 2:.1f}" y="14">{escape(words)}</text>')
            left += width
    title = escape(f"{report.inventory.name}: {said}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left:.0f}" height="{HEIGHT}" role="img"'
        f' aria-labelledby="title"><title id="title">{title}</title>'
        f'<g fill="#ffffff" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f"{''.join(parts)}</g></svg>\n"
    )
