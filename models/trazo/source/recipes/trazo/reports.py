# SPDX-License-Identifier: Apache-2.0
"""The numbers of an evaluation and of the data set in words and tables, in the current language."""

from collections import Counter
from typing import Any

from abierto import locale
from abierto.locale import text
from abierto.locale.numbers import count, decimal
from abierto.recipes.trazo import captions
from abierto.recipes.trazo.evaluation.judges import KEPT
from abierto.recipes.trazo.evaluation.measures import KINDS
from abierto.recipes.trazo.evaluation.sheet import ACROSS, DOWN
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import LANGUAGES

# What the model was planned to reach, of what the judge apart has among its first five.
GOALS = (("label", "en", 0.8), ("label", "es", 0.8), ("unseen", "all", 0.5), ("common", "all", 0.7))
_FAILURES = 12
_FIVE = 5
_NONE = "-"


def row(*cells: object) -> str:
    """A line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def share(found: dict[str, Any]) -> str:
    """A share in per cent with its interval; a dash where nothing was asked."""
    if not found["count"]:
        return _NONE
    value, low, high = (decimal(100 * found[name]) for name in ("value", "low", "high"))
    return f"{value} % ({text('report.range', low=low, high=high)})"


def of_data(data: DataSet) -> dict[str, Any]:
    """Facts for the card of the data set."""
    things = Counter(concept.group for concept in data.concepts.values())
    drawn = Counter(data.concepts[drawing.concept].group for drawing in data.drawings)
    lines = [row(f"`{group}`", count(things[group]), count(drawn[group])) for group in things]
    sets = {use: len({drawing.family for drawing in data.drawings if drawing.use == use}) for use in ("train", "judge")}
    return {
        "train_sets": sets["train"],
        "judge_sets": sets["judge"],
        "total": count(len(data.drawings)),
        "groups_of_data": "\n".join(lines),
    }


def of_evaluation(found: dict[str, Any]) -> dict[str, Any]:
    """Facts for the tables of what is shown, and the goals."""
    numbers, asked = found["numbers"], found["asked"]
    ceiling = numbers["ceiling"]
    facts: dict[str, Any] = {
        "retrieval": "\n".join(_retrieval(numbers["retrieval"])),
        "goals": "\n".join(_goals(numbers["retrieval"])),
        "readable": count(ceiling["readable_things"]),
        "things": count(found["judges"]["apart"]["things"]),
        "pictures": count(found["spent"]["pictures"]),
        "steps": asked["steps"],
        "guidance": decimal(asked["guidance"]),
        "seed": found["seed"],
    }
    for name, kind in (("real", "real"), ("back", "returned"), ("hued", "turned")):
        own = ceiling.get(kind, {})
        for key, measure in (("top1", "top1"), ("top5", "top5"), ("top1_others", "top1_by_others"),
                             ("top5_others", "top5_by_others"), ("readable", "top5_readable")):  # fmt: skip
            facts[f"{name}_{key}"] = share(own[measure]) if measure in own else _NONE
    return facts


def of_report(found: dict[str, Any], data: DataSet) -> dict[str, Any]:
    """Facts for the report beyond those of the tables."""
    numbers, asked, spent = found["numbers"], found["asked"], found["spent"]
    less, styles = numbers["differences"], numbers["styles"]
    drawing, judging = (spent[name]["processor_seconds"] for name in ("drawing", "judging"))
    language = locale.current()
    return {
        "kept": KEPT,
        "labels": asked["labels"],
        "common": asked["common"],
        "resamples": count(asked["resamples"]),
        "form": captions.UNSEEN_FORM[language].format("…"),
        "drawing_minutes": decimal(drawing / 60),
        "judging_minutes": decimal(judging / 60),
        "picture_seconds": decimal(drawing / max(1, spent["pictures"]), 2),
        **{f"less_{kind}": _points(one) for kind, one in less["english_less_spanish"].items()},
        "less_words": _points(less["paraphrase_less_label"]),
        "groups": "\n".join(row(f"`{group}`", share(one["drawn"]), share(one["real"]))
                            for group, one in numbers["groups"].items()),
        "colors": "\n".join(_colors(numbers["colors"])),
        **{name: share(numbers["colors"][name]) for name in ("by_chance", "measured_right")},
        **{f"style_{name}": share(styles[name]) for name in ("all", "en", "es", "real")},
        "styles": "\n".join(row(f"`{family}`", share(one["right"]), _taken(one["taken_for"]))
                            for family, one in styles["families"].items()),
        "memory": "\n".join(_memory(numbers["memory"])),
        **_grid(found["questions"]),
        "failures": "\n".join(_failures(found["questions"], data, language)),
        "judge": found["judges"]["apart"]["sha256"],
        "code": found["code"],
    }  # fmt: skip


def _retrieval(found: dict[str, Any]) -> list[str]:
    lines = []
    for kind in KINDS:
        for language in LANGUAGES:
            own = found[kind][language]
            measures = ("top1", "top5", "top5_readable", "top1_by_others", "top5_by_others")
            name = f"{text(f'report.kind.{kind}')}, {text(f'report.in.{language}')}"
            lines.append(row(name, *(share(own[measure]) for measure in measures)))
    return lines


def _goals(found: dict[str, Any]) -> list[str]:
    lines = []
    for kind, language, least in GOALS:
        own = found[kind][language]
        name = text(f"report.kind.{kind}") + ("" if language == "all" else f", {text(f'report.in.{language}')}")
        goal = text("report.goal", name=name, least=decimal(100 * least, 0))
        reached = (own["top5"]["value"] or 0) >= least
        readable = (own["top5_readable"]["value"] or 0) >= least
        verdict = text("report.reached" if reached else "report.reached_readable" if readable else "report.missed")
        lines.append(row(goal, f"{verdict}: {share(own['top5'])}"))
    return lines


def _colors(found: dict[str, Any]) -> list[str]:
    return [
        row(f"{text(f'report.kind.{kind}')}, {text(f'report.in.{language}')}",
            *(share(found[kind][language][name]) for name in ("largest", "there", "largest_and_thing")))
        for kind in ("seen", "unseen")
        for language in LANGUAGES
    ]  # fmt: skip


def _memory(found: dict[str, Any]) -> list[str]:
    lines = []
    for kind in ("shapes", "pixels"):
        middle, near = found[kind]["median"], found[kind]["as_near_as_a_copy"]
        medians = [decimal(middle[name], 3) for name in ("drawn", "real", "copies")]
        lines.append(row(text(f"report.near.{kind}"), *medians, share(near["drawn"]), share(near["real"])))
    return lines


def _grid(questions: list[dict[str, Any]]) -> dict[str, Any]:
    said = [one["said"] for one in questions if one["kind"] == "common"][: ACROSS * DOWN]
    rows = [said[start : start + ACROSS] for start in range(0, len(said), ACROSS)]
    return {"grid": len(said), "prompts": "\n".join(f"{at}. {', '.join(one)}" for at, one in enumerate(rows, 1))}


def _failures(questions: list[dict[str, Any]], data: DataSet, language: str) -> list[str]:
    wrong = [one for one in questions
             if one["kind"] == "common" and one["language"] == language and one["rank"] >= _FIVE]  # fmt: skip
    return [
        row(one["said"], data.concepts[one["taken_for"]].labels[language], f"`{one['nearest']}`")
        for one in wrong[:_FAILURES]
    ]


def _points(found: dict[str, Any]) -> str:
    return share(found).replace(" %", "")


def _taken(found: dict[str, int]) -> str:
    return ", ".join(f"{family} {times}" for family, times in sorted(found.items(), key=lambda one: -one[1]))
