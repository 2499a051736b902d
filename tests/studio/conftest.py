"""The studio in a real browser: Debian's chromium, driven by Playwright, against a server as a person starts it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, expect, sync_playwright

from tests.server.conftest import Serve, Served, serve

__all__ = ["serve"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Without them a browser of its own asks addresses of its makers, and does not start for the administrator.
OPTIONS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
PATIENCE = 60_000  # milliseconds
expect.set_options(timeout=PATIENCE)


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
def server(serve: Serve) -> Served:
    """The one server of the tests of a module."""
    return serve()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A newcomer's browser, in English, for the tests of a module: what one has fetched serves the next."""
    made = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 800})
    made.set_default_timeout(PATIENCE)
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    yield made
    made.close()


class Watched:
    """A page, and whatever went wrong in it. agrees: whether the person says yes to what is asked."""

    agrees = False

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
    """A page of a newcomer, in English; at the end nothing may have gone wrong in it."""
    found = Watched(context.new_page(), server.address)
    yield found
    found.close()
    assert not found.faults


@pytest.fixture
def page(watched: Watched) -> Page:
    """The page, opened."""
    watched.page.goto(watched.address)
    watched.page.get_by_role("textbox", name="Ask or say something").wait_for()
    return watched.page


# Smaller ones for docs/: `STUDIO_PICTURES=FOLDER make test TESTS=tests/studio/test_views.py`, then 128 colours.
def pictures() -> Path | None:
    """Where pictures of the views are to be kept; None where nobody asked for them."""
    asked = os.environ.get("STUDIO_PICTURES")
    return Path(asked) if asked else None
