"""The page as an app of its own, and while the server is not there."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import abierto
from abierto import locale
from tests.server.conftest import PATIENCE, Serve, Served
from tests.studio.conftest import TAGS, words

OLDER = {language: words(language)("chat.welcome") for language in locale.LANGUAGES}
NEWER = {"en": "What is on your mind today?", "es": "¿En qué piensa hoy?"}
CONTROLLED = """(folder) => new Promise((done) => {
  const look = () => navigator.serviceWorker.controller?.scriptURL.includes(folder) && done();
  navigator.serviceWorker.addEventListener("controllerchange", look);
  look();
})"""


def kept(page: Page) -> None:
    """Wait until the worker has what it needs."""
    assert page.evaluate("navigator.serviceWorker.ready.then((found) => found.active.scriptURL)").endswith("/worker.js")


def test_it_can_be_installed(page: Page) -> None:
    asked = page.context.new_cdp_session(page)
    assert not asked.send("Page.getAppManifest")["errors"]
    found = asked.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Contexts of the tests are private windows, and these install nothing.
    assert {one["errorId"] for one in found} <= {"in-incognito"}


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A folder with another version of Abierto."""
    package = tmp_path / "newer" / "abierto"
    shutil.copytree(Path(abierto.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for language, older in OLDER.items():
        sentences = package / "locale" / f"{language}.json"
        text = sentences.read_text("utf-8")
        assert older in text
        sentences.write_text(text.replace(older, NEWER[language]), "utf-8")
    return package.parent


@contextmanager
def started(server: Served, folder: Path) -> Iterator[None]:
    """What is in a folder runs at the address of a server that was stopped."""
    port = server.address.rpartition(":")[2]
    environment = {**os.environ, "ABIERTO_HOME": str(server.home), "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "abierto", "serve", "--port", port]
    process = subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        assert server.address in process.stderr.readline()
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
        process.stderr.close()


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, page: Page, language: str) -> None:
        self.page, self.t = page, words(language)
        self.alert = page.get_by_role("alert").filter(visible=True)
        self.field = page.get_by_role("textbox", name=self.t("chat.say"))

    def version(self) -> str:
        """Where the page has its files from."""
        return self.page.locator("link[rel=manifest]").get_attribute("href") or ""


def test_it_opens_without_the_server_and_goes_on_with_what_comes_back(
    browser: Browser, serve: Serve, newer: Path
) -> None:
    """For two people at once, one of each language."""
    server = serve()
    contexts = {language: browser.new_context(locale=tag) for language, tag in TAGS.items()}
    people = {language: Visitor(context.new_page(), language) for language, context in contexts.items()}
    for person in people.values():
        person.page.goto(server.address)
        kept(person.page)
    server.stop()
    for person in people.values():
        person.page.get_by_role("link", name=person.t("panel.models")).click()
        expect(person.alert).to_contain_text(person.t("away.title"))
        expect(person.alert).to_have_count(1)
    with started(server, Path(abierto.__file__).parent.parent):
        for person in people.values():
            expect(person.page.locator(".rows li").first).to_be_visible()
            expect(person.alert).to_have_count(0)
    for person in people.values():
        person.page.goto(server.address)
        expect(person.alert).to_contain_text(person.t("away.title"))
        person.field.fill("not lost")
    before = people["en"].version()
    with started(server, newer):
        # Another version: its own page comes, and what was typed is there.
        for language, person in people.items():
            expect(person.page.get_by_role("heading", name=NEWER[language])).to_be_visible()
            expect(person.alert).to_have_count(0)
            expect(person.field).to_have_value("not lost")
            assert person.version() != before
            person.page.evaluate(CONTROLLED, person.version().rpartition("/")[0])
        after = people["en"].version()
    for person in people.values():
        person.page.goto(server.address)
        expect(person.alert).to_contain_text(person.t("away.title"))
        assert person.version() == after
        person.page.context.close()
