"""`make docs`: writes the generated pages of docs/, and the recorded session into both READMEs.

`--check` writes nothing and exits with 1 if something is stale. Every page is made from what the program itself says:
its help, its errors, its settings, its docstrings. What connects them is in `pages/en.toml` and `pages/es.toml`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from docs.pages import cli, errors, events, openness, python_api, settings
from docs.pages.words import LANGUAGES, Words

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGES = {
    "cli": cli.page,
    "errors": errors.page,
    "events": events.page,
    "python": python_api.page,
    "settings": settings.page,
}
READMES = {"en": ROOT / "README.md", "es": ROOT / "README.es.md"}
SESSION = re.compile(r"(?s)(?<=<!-- session -->\n).*?(?=<!-- end of session -->)")


def main() -> int:
    """Write what is stale, or with --check only name it. Returns the exit status."""
    check = sys.argv[1:] == ["--check"]
    stale = [(path, text) for path, text in made() if not path.exists() or path.read_text("utf-8") != text]
    for path, text in stale:
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
    return 1 if check and stale else 0


def made() -> Iterator[tuple[Path, str]]:
    """Every generated file with the text that it should have."""
    for language in LANGUAGES:
        words = Words(language)
        for name, page in PAGES.items():
            yield DOCS / language / "reference" / f"{name}.md", page(words)
        for name, page_ in openness.pages(words).items():
            yield DOCS / language / "reports" / name, page_
        yield READMES[language], _with_session(READMES[language].read_text("utf-8"), language)


def _with_session(readme: str, language: str) -> str:
    session = (DOCS / "images" / f"session.{language}.txt").read_text("utf-8")
    return SESSION.sub(lambda _: f"```text\n{session}```\n", readme)


if __name__ == "__main__":
    sys.exit(main())
