"""The page of the errors: the tree, and for each error its code, exit status, sentences and facts."""

from abierto import errors
from docs.pages.words import Words, fenced, join, table

# Facts that are told by a family of sentences: class -> (the fact, the prefix of its sentences).
_FAMILIES = {
    errors.UsageFault: ("fault", "usage."),
    errors.CorruptFile: ("fault", "fault."),
    errors.InvalidCard: ("fault", "card_fault."),
    errors.NotConvertible: ("fault", "making."),
    errors.NotAModel: ("found", "found."),
    errors.ModelCannotSee: ("reason", "sight."),
    errors.NotEnoughMemory: ("advice", "advice."),
    errors.AmbiguousFile: ("advice", "ambiguous."),
    errors.NotOurs: ("advice", "removal."),
}


def page(words: Words) -> str:
    """The Markdown of the page."""
    branches = errors.AbiertoError.__subclasses__()
    statuses = [(f"`{kind.exit_status}`", f"`{kind.__name__}`", words("errors", kind.__name__)) for kind in branches]
    return join(
        f"# {words('errors', 'title')}",
        words("errors", "introduction"),
        f"## {words('errors', 'statuses')}",
        table(
            [words("errors", "status"), words("errors", "class"), words("errors", "meaning")],
            [("`0`", "", words("errors", "success")), *statuses],
        ),
        f"## {words('errors', 'tree')}",
        fenced(_tree()),
        *(_branch(kind, words) for kind in branches),
    )


def _tree() -> str:
    lines = (errors.__doc__ or "").splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith("    "))


def _branch(kind: type[errors.AbiertoError], words: Words) -> str:
    leaves = kind.__subclasses__() or [kind]
    return join(f"## {kind.__name__}", *(_error(leaf, words) for leaf in leaves)).rstrip("\n")


def _error(kind: type[errors.AbiertoError], words: Words) -> str:
    facts = ", ".join(f"`{name}`" for name in kind._names)
    about = f"`{kind.__name__}`, {words('errors', 'exit')} {kind.exit_status}."
    return join(
        f"### `{kind.code}`",
        f"{about} {words('errors', 'facts')}: {facts}." if facts else about,
        f"> {words.program(f'error.{kind.code}')}\n>\n> {words.program(f'error.{kind.code}.hint')}",
        _family(kind, words),
    ).rstrip("\n")


def _family(kind: type[errors.AbiertoError], words: Words) -> str:
    if kind not in _FAMILIES:
        return ""
    fact, prefix = _FAMILIES[kind]
    said = [f"- `{key}`: {sentence.strip()}" for key, sentence in words.family(prefix)]
    return f"{words('errors', 'can_be').format(fact=fact)}\n\n" + "\n".join(said)
