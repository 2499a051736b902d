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
from tests.studio.conftest import Watched, Words, pictures, understood
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
PICTURED = THEMES[:2]
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


def test_models_are_searched_filtered_loaded_and_let_go(page: Page, server: Served, t: Words) -> None:
    show(page, server, "models")
    whole = page.locator(".rows li").count()
    assert whole > 100
    page.get_by_role("searchbox", name=t("models.search")).fill("whisper")
    expect(page.locator(".rows li").first).to_contain_text("whisper")
    assert 3 < page.locator(".rows li").count() < 20
    page.get_by_role("searchbox", name=t("models.search")).fill("")
    page.get_by_label(t("models.task")).select_option(t("task.draw"))
    expect(page.locator(".rows .kind").first).to_have_text(t("task.draw"))
    tile = page.locator(".tile", has=page.get_by_role("link", name="says", exact=True))
    tile.get_by_role("button", name=t("models.load")).click()
    expect(tile.get_by_text(t.like("models.loaded"))).to_be_visible()
    tile.get_by_role("button", name=t("models.pin")).click()
    expect(tile.get_by_role("button", name=t("models.unpin"))).to_be_visible()
    tile.get_by_role("button", name=t("models.unpin")).click()
    tile.get_by_role("button", name=t("models.unload")).click()
    expect(tile.get_by_role("button", name=t("models.load"), exact=True)).to_be_visible()


def test_a_card_shows_the_report_with_its_places(page: Page, server: Served, t: Words) -> None:
    show(page, server, "models/smollm2%3A135m")
    expect(page.get_by_role("heading", name="SmolLM2 135M Instruct")).to_be_visible()
    expect(page.locator(".components li")).to_have_count(17)
    paper = page.locator(".components li", has_text=t("openness.component.technical_report")).get_by_role("link")
    assert paper.get_attribute("href") == "https://arxiv.org/abs/2502.02737"
    expect(page.locator(".verdicts li").first).to_contain_text(t("card.mof"))


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


def test_a_server_that_refuses_says_it_in_the_language_of_the_page(
    watched: Watched, page: Page, server: Served, t: Words
) -> None:
    page.goto(f"{server.address}/#models/nobody%3A7b")
    expect(page.get_by_role("alert")).to_contain_text(t("error.unknown_model", name="nobody:7b"))
    watched.refused = "404"


def test_models_are_recommended_and_their_reports_compared(page: Page, server: Served, t: Words) -> None:
    show(page, server, "models")
    page.get_by_label(t("models.task")).select_option(t("task.chat"))
    page.get_by_label(t("models.order")).select_option(t("models.recommended"))
    expect(page.locator(".rows li").first.locator("small")).to_contain_text(t.like("models.won"))
    page.get_by_label(t("models.order")).select_option(t("models.by_name"))
    for name in ("smollm2:135m", "smollm2:360m", "qwen3:4b"):
        page.get_by_role("checkbox", name=t("models.mark", name=name), exact=True).check()
    page.get_by_role("link", name=t("models.compare")).click()
    expect(page.get_by_role("columnheader")).to_have_count(3)
    row = page.get_by_role("row", name=t("openness.component.weights"))
    expect(row.get_by_role("cell")).to_have_count(3)
    expect(row).to_contain_text("apache-2.0", ignore_case=True)


def test_one_question_goes_to_several_models(page: Page, server: Served, t: Words) -> None:
    show(page, server, "compare")
    page.get_by_role("button", name=t("compare.add")).click()
    for number, model in enumerate(("echo", "says", "random"), 1):
        page.get_by_role("combobox", name=f"{t('chat.model')}, {t('compare.column', number=number)}").select_option(
            model
        )
    column = page.get_by_role("article", name=t("compare.column", number=3))
    column.get_by_text(t("compare.settings")).click()
    column.get_by_label(t("sampler.max_tokens")).fill("40")
    column.get_by_label(t("sampler.max_tokens")).press("Tab")
    page.get_by_role("textbox", name=t("compare.prompt")).fill("compare me")
    page.get_by_role("button", name=t("compare.run")).click()
    expect(page.get_by_role("region", name=t("compare.answer", number=1))).to_contain_text("compare me")
    expect(page.get_by_role("region", name=t("compare.answer", number=2))).to_contain_text("Hé 你🙂.")
    expect(page.get_by_role("button", name=t("compare.run"))).to_be_visible()
    # This engine knows probabilities: others are told where a token is pointed at, with the mouse or the arrows.
    answer = page.get_by_role("region", name=t("compare.answer", number=2))
    others = page.locator(".column").nth(1).get_by_role("list", name=t("tokens.others"))
    answer.locator(".token").first.hover()
    expect(others.get_by_role("listitem").first).to_contain_text("%")
    answer.focus()
    before = others.inner_text()
    page.keyboard.press("ArrowRight")
    expect(others).not_to_have_text(before)
    page.get_by_role("button", name=t("compare.remove")).first.click()
    expect(page.locator(".column")).to_have_count(2)


def test_a_text_is_gone_on_with_and_stopped(page: Page, server: Served, t: Words) -> None:
    show(page, server, "notebook")
    page.get_by_role("combobox", name=t("chat.model")).select_option("endless")
    page.get_by_role("spinbutton", name=t("sampler.max_tokens")).fill("8000")
    paper = page.get_by_role("textbox", name=t("notebook.paper"))
    paper.fill("so\n")
    page.get_by_role("button", name=t("notebook.go_on"), exact=True).click()
    expect(paper).to_have_value(re.compile("abcabc"))
    page.get_by_role("button", name=t("chat.stop")).click()
    expect(page.get_by_role("button", name=t("notebook.go_on"), exact=True)).to_be_visible()
    expect(page.locator(".answer")).to_contain_text("abcabc")
    written = paper.input_value()
    assert written.startswith("so\nabcabc")
    page.reload()
    expect(paper).to_have_value(written)


def test_another_device_is_asked_for_a_token(watched: Watched, serve: Serve, tmp_path: Path, t: Words) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, "ABIERTO_HOME": str(home), "ABIERTO_LANGUAGE": "en"}
    command = [sys.executable, "-m", "abierto", "token", "add", "tablet"]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    token = next(word for line in made.stdout.splitlines() for word in line.split() if word.startswith("abierto-"))
    served = serve("--host", "0.0.0.0", home=home)
    watched.address = served.address.replace("0.0.0.0", "127.0.0.1")
    page = watched.page
    page.goto(watched.address)
    page.get_by_label(t("gate.token")).fill(token)
    page.get_by_role("button", name=t("gate.enter")).click()
    expect(page.get_by_role("textbox", name=t("chat.say"))).to_be_visible()
    choose(page, "echo")
    say(page, "from the tablet")
    ended(page)
    watched.refused = "401"


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


def test_a_narrow_screen_has_a_menu_and_nothing_to_scroll_sideways(page: Page, server: Served, t: Words) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    for view in VIEWS:
        show(page, server, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, view
        understood(page)
    page.get_by_role("button", name=t("menu")).click()
    page.get_by_role("link", name=t("panel.chat"), exact=True).click()
    expect(page.get_by_role("textbox", name=t("chat.say"))).to_be_in_viewport()


def test_everything_is_reached_with_the_keyboard(page: Page, t: Words) -> None:
    page.keyboard.press("Tab")
    reached = set()
    for _ in range(40):
        reached.add(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.ariaLabel"))
        page.keyboard.press("Tab")
    panels = {t(f"panel.{name}") for name in ("chat", "models", "activity", "settings")}
    assert panels | {t("chat.new"), t("chat.search")} <= reached


@pytest.fixture(scope="module")
def talk(server: Served) -> str:
    """Where a conversation is in which a model wrote all kinds of blocks."""
    with server.client() as client:
        messages = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": MARKDOWN}]
        body = {"title": ASKED, "model": "echo", "messages": messages}
        return f"chat/{client.post('/abierto/v1/conversations', json=body).json()['id']}"


@pytest.mark.parametrize("theme", THEMES)
def test_nobody_is_kept_out(page: Page, server: Served, talk: str, theme: str, t: Words, language: str) -> None:
    """By the rules of axe, in every view and theme; what is no matter of colour is the same in all themes.

    Where STUDIO_PICTURES names a folder, the pictures of the documents are made there.
    """
    rules = {} if theme == THEMES[0] else {"runOnly": ["color-contrast", "color-contrast-enhanced"]}
    page.evaluate(f"localStorage.setItem('abierto.theme', '{theme}')")
    page.reload()
    for name, view in (*NAMES.items(), ("talk", talk)):
        page.goto(f"{server.address}/#{view}")
        page.locator(SIGNS.get(view, ".said .hljs")).first.wait_for()
        if (folder := pictures()) and theme in PICTURED:
            page.screenshot(path=folder / f"studio-{name}-{theme}.{language}.png")
        found = Axe().run(page, options=rules).response["violations"]
        assert not [(one["id"], one["nodes"][0]["html"][:200]) for one in found], view
    expect(page.get_by_role("textbox", name=t("chat.say"))).to_be_visible()
