"""The studio in a real browser: Debian's chromium, driven by Playwright, against a server as a person starts it."""

import os
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, expect, sync_playwright

from abierto import locale
from abierto.server import pages
from tests.server.conftest import Serve, Served, serve

__all__ = ["serve"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Without them a browser of its own asks addresses of its makers, and does not start for the administrator.
OPTIONS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
PATIENCE = 60_000  # milliseconds
expect.set_options(timeout=PATIENCE)
TAGS = {"en": "en-GB", "es": "es-ES"}  # what the browsers of our people ask for
# What a person sees, and what a screen reader says, but for what people and models say.
SAID = """() => [...document.querySelectorAll("body *")].filter((one) => !one.closest(".words")).flatMap((one) => [
  ...[...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data),
  ...["aria-label", "title", "placeholder", "alt"].map((name) => one.getAttribute(name) ?? ""),
]).map((text) => text.trim()).filter(Boolean)"""
# Called so in both languages: languages by their own names, and a key.
SHARED = {"English", "Español", "Enter"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for the words of the page is run in each language, every other one in English."""
    if "language" in metafunc.fixturenames:
        chosen = locale.LANGUAGES if "t" in metafunc.fixturenames else ("en",)
        metafunc.parametrize("language", chosen, indirect=True, scope="module")


class Words:
    """The sentences of a language by key, as `t` of the page's scripts has them; those of errors too."""

    def __init__(self, language: str) -> None:
        self._all = {**locale.sentences(language), **pages.words(language)}

    def __call__(self, key: str, **gaps: object) -> str:
        return self._all[key].format(**gaps)

    def like(self, key: str, **gaps: object) -> re.Pattern[str]:
        """What a sentence looks like, whatever stands in the gaps that are not given."""
        parts = re.split(r"\{(\w+)\}", self._all[key])
        told = (re.escape(str(gaps[name])) if name in gaps else ".+" for name in parts[1::2])
        return re.compile("".join(text + next(told, "") for text in map(re.escape, parts[::2])))


@cache
def words(language: str) -> Words:
    """The words of a language."""
    return Words(language)


def spoken(page: Page) -> Words:
    """The words of the language that a page speaks."""
    return words(page.locator("html").get_attribute("lang") or "")


@cache
def _foreign(language: str) -> set[str]:
    """Sentences without gaps that only the other language has."""
    others = [said for other in locale.LANGUAGES if other != language for said in pages.words(other).values()]
    theirs = {said for said in others if "{" not in said and len(said) > 3}
    return theirs - set(pages.words(language).values()) - SHARED


def understood(page: Page) -> None:
    """Nothing on the page is in the other language."""
    found = set(page.evaluate(SAID)) & _foreign(page.locator("html").get_attribute("lang") or "")
    assert not found, page.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser: {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def language(request: pytest.FixtureRequest) -> str:
    """The language of the person: `en` or `es`."""
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def server(serve: Serve, language: str) -> Served:
    """The one server of the tests of a module in one language. It speaks English by itself."""
    return serve()


@pytest.fixture
def t(language: str) -> Words:
    """The words of the page. Who asks for them is asked in each language."""
    return words(language)


@pytest.fixture(scope="module")
def context(browser: Browser, language: str) -> Iterator[BrowserContext]:
    """A newcomer's browser for the tests of a module in one language: what one has fetched serves the next."""
    made = browser.new_context(locale=TAGS[language], viewport={"width": 1200, "height": 800})
    made.set_default_timeout(PATIENCE)
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    yield made
    made.close()


class Watched:
    """A page, and whatever went wrong in it. agrees: whether the person says yes to what is asked. refused: the status
    with which the test means something to be refused; the browser tells of that in its own time."""

    agrees = False
    refused = ""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: self._dialog(dialog))
        # Of the context: what the worker beside the page asks for is heard there too.
        page.context.on("request", self._asked)

    def _dialog(self, dialog: Dialog) -> None:
        if self.agrees:
            dialog.accept()
            return
        self.faults.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"asked {request.url}")

    def close(self) -> None:
        """Forget the person; the next one is new."""
        self.page.evaluate("localStorage.clear(); indexedDB.deleteDatabase('abierto')")
        self.page.context.remove_listener("request", self._asked)
        self.page.close()


@pytest.fixture
def watched(context: BrowserContext, server: Served) -> Iterator[Watched]:
    """A page of a newcomer; at the end nothing may have gone wrong in it, nor be in the other language."""
    found = Watched(context.new_page(), server.address)
    yield found
    understood(found.page)
    found.close()
    meant = f"status of {found.refused} "
    assert [fault for fault in found.faults if meant not in fault] == []


@pytest.fixture
def page(watched: Watched, language: str) -> Page:
    """The page, opened."""
    watched.page.goto(watched.address)
    watched.page.get_by_role("textbox", name=words(language)("chat.say")).wait_for()
    return watched.page


# Smaller ones for docs/: `STUDIO_PICTURES=FOLDER make test TESTS=tests/studio/test_views.py`, then 128 colours.
def pictures() -> Path | None:
    """Where pictures of the views are to be kept; None where nobody asked for them."""
    asked = os.environ.get("STUDIO_PICTURES")
    return Path(asked) if asked else None
