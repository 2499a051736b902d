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
from tests.server.conftest import PATIENCE, Serve, Served
from tests.studio.conftest import Watched

NEWER = "What is on your mind today?"
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
    sentences = package / "locale" / "en.json"
    text = sentences.read_text("utf-8")
    assert "What would you like to know?" in text
    sentences.write_text(text.replace("What would you like to know?", NEWER), "utf-8")
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


def test_it_opens_without_the_server_and_goes_on_with_what_comes_back(
    browser: Browser, serve: Serve, newer: Path
) -> None:
    server = serve()
    context = browser.new_context(locale="en-GB")
    page = Watched(context.new_page(), server.address).page
    alert = page.get_by_role("alert").filter(visible=True)
    page.goto(server.address)
    kept(page)
    server.stop()
    page.get_by_role("link", name="Models").click()
    expect(alert).to_contain_text("The server of Abierto does not answer.")
    expect(alert).to_have_count(1)
    with started(server, Path(abierto.__file__).parent.parent):
        expect(page.locator(".rows li").first).to_be_visible()
        expect(alert).to_have_count(0)
    page.goto(server.address)
    expect(alert).to_contain_text("does not answer")
    field = page.get_by_role("textbox", name="Ask or say something")
    field.fill("not lost")
    manifest = page.locator("link[rel=manifest]")
    before = manifest.get_attribute("href")
    with started(server, newer):
        # Another version: its own page comes, and what was typed is there.
        expect(page.get_by_role("heading", name=NEWER)).to_be_visible()
        expect(alert).to_have_count(0)
        expect(field).to_have_value("not lost")
        after = manifest.get_attribute("href")
        assert after != before
        page.evaluate(CONTROLLED, (after or "").rpartition("/")[0])
    page.goto(server.address)
    expect(alert).to_contain_text("does not answer")
    assert manifest.get_attribute("href") == after
    context.close()
