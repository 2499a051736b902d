"""The other views, and what holds for all of them."""

import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.server.conftest import Serve, Served
from tests.studio.conftest import Watched, pictures
from tests.studio.test_chat import choose, ended, say

VIEWS = ("chat", "compare", "notebook", "models", "models/smollm2%3A135m", "activity", "settings", "draw")
# What is waited for in each.
SIGNS = {
    "chat": ".composer",
    "compare": ".column",
    "notebook": ".paper",
    "models": ".rows li",
    "models/smollm2%3A135m": ".components li",
}
SIGNS |= {"activity": "main .plot, main .hint", "settings": ".choice", "draw": ".words-to-draw"}
THEMES = ("light", "dark", "contrast")
NAMES = {view.partition("/")[0]: view for view in VIEWS if "/" not in view} | {"card": "models/smollm2%3A135m"}
ASKED = "Markdown"
MARKDOWN = """Text with **weight**, *stress*, `code` and a [link](https://example.org).

1. a list
2. with numbers

| component | licence |
|---|---|
| weights | Apache-2.0 |
| data | not shown |

```python
def greet(name: str) -> str:
    return f"Hola, {name}"  # in Spanish
```

> What somebody said.
"""


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
    paper = page.locator(".components li", has_text="technical report").get_by_role("link")
    assert paper.get_attribute("href") == "https://arxiv.org/abs/2502.02737"
    expect(page.locator(".verdicts li").first).to_contain_text("Model Openness Framework")


def test_a_card_holds_the_whole_report_in_the_language_of_the_page(page: Page, server: Served) -> None:
    address = f"{server.address}/#models/llama3.2%3A3b"
    page.goto(address)
    page.get_by_text("The four freedoms, for each component").click()
    expect(page.locator(".section[open]")).to_contain_text("700,000,000")
    show(page, server, "settings")
    page.get_by_text("Español").click()
    page.goto(address)
    expect(page.get_by_role("heading", name="El informe completo")).to_be_visible()
    expect(page.locator(".section").filter(has_text=re.compile("licencia", re.IGNORECASE)).first).to_be_visible()


def test_models_are_recommended_and_their_reports_compared(page: Page, server: Served) -> None:
    show(page, server, "models")
    page.get_by_label("Task").select_option("Talk")
    page.get_by_label("Order").select_option("Recommended here")
    expect(page.locator(".rows li").first.locator("small")).to_contain_text("of comparisons")
    page.get_by_label("Order").select_option("By name")
    for name in ("smollm2:135m", "smollm2:360m", "qwen3:4b"):
        page.get_by_role("checkbox", name=f"Compare {name}", exact=True).check()
    page.get_by_role("link", name="Reports side by side").click()
    expect(page.get_by_role("columnheader")).to_have_count(3)
    row = page.get_by_role("row", name="model parameters, final")
    expect(row.get_by_role("cell")).to_have_count(3)
    expect(row).to_contain_text("apache-2.0", ignore_case=True)


def test_one_question_goes_to_several_models(page: Page, server: Served) -> None:
    show(page, server, "compare")
    page.get_by_role("button", name="Add a column").click()
    for number, model in enumerate(("echo", "says", "random"), 1):
        page.get_by_role("combobox", name=f"Model, column {number}").select_option(model)
    column = page.get_by_role("article", name="column 3")
    column.get_by_text("Settings").click()
    column.get_by_label("Most tokens").fill("40")
    column.get_by_label("Most tokens").press("Tab")
    page.get_by_role("textbox", name="What all are asked").fill("compare me")
    page.get_by_role("button", name="Ask all").click()
    expect(page.get_by_role("region", name="Answer 1")).to_contain_text("compare me")
    expect(page.get_by_role("region", name="Answer 2")).to_contain_text("Hé 你🙂.")
    expect(page.get_by_role("button", name="Ask all")).to_be_visible()
    # This engine knows probabilities: others are told where a token is pointed at, with the mouse or the arrows.
    answer = page.get_by_role("region", name="Answer 2")
    others = page.locator(".column").nth(1).get_by_role("list", name="How likely this token was, and others")
    answer.locator(".token").first.hover()
    expect(others.get_by_role("listitem").first).to_contain_text("%")
    answer.focus()
    before = others.inner_text()
    page.keyboard.press("ArrowRight")
    expect(others).not_to_have_text(before)
    page.get_by_role("button", name="Remove the column").first.click()
    expect(page.locator(".column")).to_have_count(2)


def test_a_text_is_gone_on_with_and_stopped(page: Page, server: Served) -> None:
    show(page, server, "notebook")
    page.get_by_role("combobox", name="Model").select_option("endless")
    page.get_by_role("spinbutton", name="Most tokens").fill("8000")
    paper = page.get_by_role("textbox", name="Text")
    paper.fill("so\n")
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(paper).to_have_value(re.compile("abcabc"))
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_visible()
    expect(page.locator(".answer")).to_contain_text("abcabc")
    written = paper.input_value()
    assert written.startswith("so\nabcabc")
    page.reload()
    expect(paper).to_have_value(written)


def test_another_device_is_asked_for_a_token(watched: Watched, serve: Serve, tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, "ABIERTO_HOME": str(home), "ABIERTO_LANGUAGE": "en"}
    command = [sys.executable, "-m", "abierto", "token", "add", "tablet"]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    token = next(word for line in made.stdout.splitlines() for word in line.split() if word.startswith("abierto-"))
    served = serve("--host", "0.0.0.0", home=home)
    watched.address = served.address.replace("0.0.0.0", "127.0.0.1")
    page = watched.page
    page.goto(watched.address)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("textbox", name="Ask or say something")).to_be_visible()
    choose(page, "echo")
    say(page, "from the tablet")
    ended(page)
    watched.faults[:] = [fault for fault in watched.faults if "401" not in fault]  # the browser tells of these itself


def test_what_ran_is_in_the_activity(page: Page, server: Served) -> None:
    choose(page, "echo")
    say(page, "to be seen in the activity")
    ended(page)
    show(page, server, "activity")
    expect(page.get_by_role("cell", name="echo").first).to_be_visible()


def test_the_licenses_of_the_page_are_read_there(page: Page, server: Served) -> None:
    show(page, server, "settings")
    links = page.locator("a[href*='LICENSE-']").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    there = (resources.files("abierto.server") / "studio" / "vendor").iterdir()
    assert sorted(links) == sorted(f"/studio/vendor/{one.name}" for one in there if one.name.startswith("LICENSE-"))
    with server.client() as client:
        assert all(client.get(link).headers["content-type"].startswith("text/plain") for link in links)


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
    """By the rules of axe, in every view and theme; what is no matter of colour is the same in all themes."""
    rules = {} if theme == THEMES[0] else {"runOnly": ["color-contrast", "color-contrast-enhanced"]}
    choose(page, "echo")
    say(page, "# Title\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint(1)\n```\n\n> said, `so`")
    ended(page)
    talk = page.url.partition("#")[2]
    page.evaluate(f"localStorage.setItem('abierto.theme', '{theme}')")
    page.reload()
    for view in (talk, *VIEWS[1:]):
        page.goto(f"{server.address}/#{view}")
        page.locator(SIGNS[view.partition("/")[0] if view == talk else view]).first.wait_for()
        found = Axe().run(page, options=rules).response["violations"]
        assert not [(one["id"], one["nodes"][0]["html"][:200]) for one in found], view


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_each_view(page: Page, server: Served, language: str, theme: str) -> None:
    """All views are drawn; where STUDIO_PICTURES names a folder, the pictures of the documents are made there."""
    with server.client() as client:
        messages = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": MARKDOWN}]
        body = {"title": ASKED, "model": "echo", "messages": messages}
        number = client.post("/abierto/v1/conversations", json=body).json()["id"]
    page.evaluate(
        f"localStorage.setItem('abierto.theme', '{theme}'); localStorage.setItem('abierto.language', '{language}')"
    )
    page.reload()
    for name, view in (*NAMES.items(), ("talk", f"chat/{number}")):
        page.goto(f"{server.address}/#{view}")
        page.locator(SIGNS.get(view, ".said .hljs")).first.wait_for()
        picture = page.screenshot()
        assert len(picture) > 10_000, view
        if folder := pictures():
            (folder / f"studio-{name}-{theme}.{language}.png").write_bytes(picture)
    with server.client() as client:
        client.delete(f"/abierto/v1/conversations/{number}")
