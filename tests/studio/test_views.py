"""The other views, and what holds for all of them."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.server.conftest import Served
from tests.studio.conftest import pictures
from tests.studio.test_chat import choose, ended, say

VIEWS = ("chat", "models", "models/smollm2%3A135m", "activity", "settings")
# What is waited for in each.
SIGNS = {"chat": ".composer", "models": ".rows li", "models/smollm2%3A135m": ".components li"}
SIGNS |= {"activity": ".plot, .hint", "settings": ".choice"}
THEMES = ("light", "dark", "contrast")


def show(page: Page, server: Served, view: str) -> None:
    """Go to a view and wait until it is there."""
    page.goto(f"{server.address}/#{view}")
    page.locator(SIGNS[view]).first.wait_for()


def test_models_are_searched_filtered_loaded_and_let_go(page: Page, server: Served) -> None:
    show(page, server, "models")
    whole = page.locator(".rows li").count()
    assert whole > 100
    page.get_by_role("searchbox", name="Search by name or licence").fill("whisper")
    expect(page.locator(".rows li").first).to_contain_text("whisper")
    assert 3 < page.locator(".rows li").count() < 20
    page.get_by_role("searchbox", name="Search by name or licence").fill("")
    page.get_by_label("Task").select_option("Draw")
    expect(page.locator(".rows .kind").first).to_have_text("Draw")
    tile = page.locator(".tile", has=page.get_by_role("link", name="says", exact=True))
    tile.get_by_role("button", name="Load").click()
    expect(tile.get_by_text("Loaded:")).to_be_visible()
    tile.get_by_role("button", name="Keep loaded").click()
    expect(tile.get_by_role("button", name="Let it go when idle")).to_be_visible()
    tile.get_by_role("button", name="Let it go when idle").click()
    tile.get_by_role("button", name="Unload").click()
    expect(tile.get_by_role("button", name="Load", exact=True)).to_be_visible()


def test_a_card_shows_the_report_with_its_places(page: Page, server: Served) -> None:
    show(page, server, "models/smollm2%3A135m")
    expect(page.get_by_role("heading", name="SmolLM2 135M Instruct")).to_be_visible()
    expect(page.locator(".components li")).to_have_count(17)
    paper = page.locator(".components li", has_text="research paper").get_by_role("link")
    assert paper.get_attribute("href") == "https://arxiv.org/abs/2502.02737"
    expect(page.locator(".verdicts li").first).to_contain_text("Model Openness Framework")


def test_what_ran_is_in_the_activity(page: Page, server: Served) -> None:
    choose(page, "echo")
    say(page, "to be seen in the activity")
    ended(page)
    show(page, server, "activity")
    expect(page.get_by_role("cell", name="echo").first).to_be_visible()


def test_theme_language_and_size_stay(page: Page, server: Served) -> None:
    show(page, server, "settings")
    page.get_by_text("High contrast").click()
    page.get_by_text("Large").click()
    page.get_by_text("Español").click()
    expect(page.get_by_role("heading", name="Ajustes")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Ajustes")).to_be_visible()
    html = page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("data-theme")) == ("es", "contrast")
    assert html.get_attribute("data-text") == "large"


def test_a_narrow_screen_has_a_menu_and_nothing_to_scroll_sideways(page: Page, server: Served) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    for view in VIEWS:
        show(page, server, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, view
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Chat", exact=True).click()
    expect(page.get_by_role("textbox", name="Ask or say something")).to_be_in_viewport()


def test_everything_is_reached_with_the_keyboard(page: Page, server: Served) -> None:
    page.keyboard.press("Tab")
    reached = set()
    for _ in range(40):
        reached.add(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.ariaLabel"))
        page.keyboard.press("Tab")
    assert {"Chat", "Models", "Activity", "Settings", "New conversation", "Search conversations"} <= reached


@pytest.mark.parametrize("theme", THEMES)
def test_nobody_is_kept_out(page: Page, server: Served, theme: str) -> None:
    """By the rules of axe, in every view and theme."""
    choose(page, "echo")
    say(page, "# Title\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint(1)\n```\n\n> said, `so`")
    ended(page)
    talk = page.url.partition("#")[2]
    page.evaluate(f"localStorage.setItem('abierto.theme', '{theme}')")
    page.reload()
    for view in (talk, *VIEWS[1:]):
        page.goto(f"{server.address}/#{view}")
        page.locator(SIGNS[view.partition("/")[0] if view == talk else view]).first.wait_for()
        found = Axe().run(page).response["violations"]
        assert not [(one["id"], one["nodes"][0]["html"][:200]) for one in found], view


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_each_view(page: Page, server: Served, language: str, theme: str) -> None:
    """All views are drawn; where ABIERTO_TEST_PICTURES names a folder, the pictures of the documents are made there."""
    page.evaluate(
        f"localStorage.setItem('abierto.theme', '{theme}'); localStorage.setItem('abierto.language', '{language}')"
    )
    page.reload()
    for view in VIEWS:
        show(page, server, view)
        picture = page.screenshot()
        assert len(picture) > 10_000, view
        if folder := pictures():
            (folder / f"studio-{view.partition('/')[0]}-{theme}.{language}.png").write_bytes(picture)
