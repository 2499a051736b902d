"""Once through all views in Spanish, with the words of its file; and one conversation with a real model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from abierto.server import pages
from tests.conftest import STARTER
from tests.server.conftest import Serve, Served
from tests.studio.conftest import Watched

ENGLISH, SPANISH = pages.words("en"), pages.words("es")
# Sentences without gaps that only the other language has; a language and a key are called so in both.
FOREIGN = {said for said in ENGLISH.values() if "{" not in said and len(said) > 3} - {
    *SPANISH.values(),
    "English",
    "Enter",
}
# What a person sees, and what a screen reader says.
SAID = """() => [...document.querySelectorAll("body *")].flatMap((one) => [
  ...[...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data),
  ...["aria-label", "title", "placeholder", "alt"].map((name) => one.getAttribute(name) ?? ""),
]).map((text) => text.trim()).filter(Boolean)"""


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A newcomer's browser in Spanish."""
    made = browser.new_context(locale="es-ES", viewport={"width": 1200, "height": 800})
    yield made
    made.close()


@pytest.fixture
def visita(watched: Watched) -> Page:
    """The page, opened."""
    watched.page.goto(watched.address)
    return watched.page


def understood(page: Page) -> None:
    """Nothing on the page is in the other language."""
    found = set(page.evaluate(SAID)) & FOREIGN
    assert not found, page.url


def enter(page: Page, panel: str) -> None:
    """Go to a panel, as a person does."""
    page.get_by_role("navigation").get_by_role("link", name=SPANISH[f"panel.{panel}"]).click()
    expect(page.locator("main > section")).to_have_attribute("aria-label", SPANISH[f"panel.{panel}"])


def ask(page: Page, text: str) -> None:
    """Say something to the echo, and wait for the answer."""
    page.get_by_label(SPANISH["chat.model"], exact=True).select_option("echo")
    page.get_by_role("textbox", name=SPANISH["chat.say"]).fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=SPANISH["chat.send"])).to_be_visible()
    expect(page.locator(".said:not(.own) .words")).to_contain_text(text)


def test_a_conversation_in_spanish(visita: Page) -> None:
    expect(visita.get_by_role("heading", name=SPANISH["chat.welcome"])).to_be_visible()
    understood(visita)
    ask(visita, "Un faro en la niebla")
    visita.get_by_role("button", name=SPANISH["chat.settings"]).click()
    visita.get_by_role("button", name=SPANISH["chat.preset_exact"]).click()
    understood(visita)
    visita.get_by_role("link", name="Un faro en la niebla").hover()
    visita.get_by_role("button", name=SPANISH["chat.rename_named"].format(title="Un faro en la niebla")).click()
    visita.get_by_role("textbox", name=SPANISH["chat.rename"]).fill("El faro")
    visita.keyboard.press("Enter")
    expect(visita.get_by_role("heading", name="El faro")).to_be_visible()
    visita.get_by_role("searchbox", name=SPANISH["chat.search"]).fill("zorro")
    expect(visita.get_by_text(SPANISH["chat.none_found"])).to_be_visible()
    understood(visita)


def test_all_views_in_spanish(visita: Page) -> None:
    enter(visita, "compare")
    for number in (1, 2):
        column = SPANISH["compare.column"].format(number=number)
        visita.get_by_label(f"{SPANISH['chat.model']}, {column}").select_option("echo")
    visita.get_by_role("textbox", name=SPANISH["compare.prompt"]).fill("¿Qué es un faro?")
    visita.get_by_role("button", name=SPANISH["compare.run"]).click()
    expect(visita.get_by_role("region", name=SPANISH["compare.answer"].format(number=1))).to_contain_text("faro")
    expect(visita.get_by_role("button", name=SPANISH["compare.run"])).to_be_visible()
    understood(visita)
    enter(visita, "notebook")
    paper = visita.get_by_role("textbox", name=SPANISH["notebook.paper"])
    paper.fill("Había una vez")
    visita.get_by_label(SPANISH["chat.model"], exact=True).select_option("echo")
    visita.get_by_role("button", name=SPANISH["notebook.go_on"], exact=True).click()
    expect(paper).not_to_have_value("Había una vez")
    understood(visita)
    enter(visita, "draw")
    expect(visita.locator(".words-to-draw")).to_be_visible()
    understood(visita)
    enter(visita, "models")
    visita.get_by_role("searchbox", name=SPANISH["models.search"]).fill("smollm2:135m")
    expect(visita.locator(".rows li")).to_have_count(1)
    understood(visita)
    visita.locator(".rows").get_by_role("link", name="smollm2:135m").click()
    expect(visita.locator(".components li").first).to_be_visible()
    understood(visita)
    enter(visita, "activity")
    expect(visita.get_by_role("heading", name=SPANISH["activity.before"])).to_be_visible()
    understood(visita)
    enter(visita, "settings")
    expect(visita.get_by_text(SPANISH["settings.theme_contrast"])).to_be_visible()
    understood(visita)


def test_a_server_that_refuses_says_it_in_spanish(watched: Watched, visita: Page, server: Served) -> None:
    visita.goto(f"{server.address}/#models/nadie%3A7b")
    alert = visita.get_by_role("alert")
    expect(alert).to_contain_text("nadie:7b")
    expect(alert).to_contain_text("No hay ningún modelo")
    watched.faults[:] = [fault for fault in watched.faults if "404" not in fault]  # the browser tells of these itself


@pytest.mark.model
def test_the_starter_model_answers_a_newcomer_after_one_click(
    browser: Browser, serve: Serve, starter_home: Path
) -> None:
    server = serve(home=starter_home, model=STARTER, folders="")
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(server.address)
    expect(page.get_by_label(ENGLISH["chat.model"], exact=True)).to_have_value(STARTER)
    page.get_by_role("button", name=ENGLISH["chat.idea_explain"]).click()
    answer = page.locator(".said:not(.own) .words")
    expect(page.get_by_role("button", name=ENGLISH["chat.stop"])).to_be_visible()
    expect(page.get_by_role("button", name=ENGLISH["chat.send"])).to_be_visible(timeout=240_000)
    words = answer.inner_text()
    assert len(words.split()) > 20
    expect(page.locator(".under")).to_contain_text("token/s")
    page.reload()
    expect(answer).to_have_text(words, use_inner_text=True)
    context.close()
