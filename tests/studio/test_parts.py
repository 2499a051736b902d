"""What the studio has beside plain talk: engines, pulls, measuring, providers, tokens, storage, panels, paper."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.engines.stand_in_provider import StandInProvider, stream
from tests.server.conftest import Serve, Served
from tests.store.stand_in_index import Manner, Shelf, StandInIndex, alone
from tests.studio.conftest import Watched, Words
from tests.studio.test_chat import answers, choose, ended, say
from tests.tiny_gguf import TinyGGUF

KEY = "sk-secret-0123456789"
ANSWER = {"choices": [{"index": 0, "delta": {"content": "Good morning."}, "finish_reason": "stop"}]}
CARD = """name: paused:tiny
title: A tiny model
pipeline_tag: text-generation
license: Odd-1.0
languages: [en]
weights:
  f16: {{source: "pypi:paused==1.0#paused/paused.gguf", format: gguf, size: {size}, sha256: {sha256}}}
evidence:
  - {{facts: [license], url: "https://example.org/card", read: 2026-11-30}}
"""
PANEL = """/** A panel of a test. */
import { html } from "../../lib/html.js";

export function Hello({ rest }) {
  return html`<section class="page"><h1>Hello ${rest.join(" ")}</h1></section>`;
}
"""


@pytest.fixture(scope="module")
def school() -> Iterator[StandInProvider]:
    """A computer of one's own that demands a key."""
    with StandInProvider() as made:
        yield made


@pytest.fixture(scope="module")
def index() -> Iterator[StandInIndex]:
    """The package index that the server fetches from."""
    with alone() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def shelf(index: StandInIndex, language: str, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """A model on the index, large enough to stop in the middle of it."""
    body = TinyGGUF(dtype="f16").write(tmp_path_factory.mktemp("shelf") / "tiny.gguf").read_bytes() + bytes(400_000)
    made = index.add("paused", "1.0", {"paused/paused.gguf": body})
    made.metadata = made.metadata or b""
    index_card = CARD.format(size=len(body), sha256=sha256(body).hexdigest())
    made.requests.append({"method": "card", "text": index_card})
    return made


@pytest.fixture(scope="module")
def server(
    serve: Serve, language: str, school: StandInProvider, shelf: Shelf, tmp_path_factory: pytest.TempPathFactory
) -> Served:
    """A server that knows another computer, and has a card of this person's own."""
    home = tmp_path_factory.mktemp("home")
    cards = home / "data" / "cards"
    cards.mkdir(parents=True)
    (cards / "paused.yaml").write_text(shelf.requests.pop()["text"], "utf-8")
    return serve(home=home, remotes=f"school={school.address}")


def test_the_words_of_an_answer_are_changed_as_a_branch(page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, "as it was")
    ended(page)
    said = page.locator(".said:not(.own)")
    said.get_by_role("button", name=t("chat.edit_answer")).click()
    page.get_by_role("textbox", name=t("chat.edit_answer")).fill("as it should be")
    page.get_by_role("button", name=t("chat.keep_words")).click()
    expect(said.locator(".words")).to_have_text("as it should be")
    expect(said.locator(".branches")).to_contain_text("2/2")
    said.get_by_role("button", name=t("chat.branch_before")).click()
    expect(said.locator(".words")).to_contain_text("as it was")


def test_model_and_engine_change_in_the_middle(page: Page, t: Words) -> None:
    choose(page, "says")
    say(page, "one")
    ended(page)
    page.get_by_role("button", name=t("chat.settings"), exact=True).click()
    page.get_by_label(t("chat.engine")).select_option("openvino")
    expect(page.get_by_text(t("chat.engine_now", engine="openvino"))).to_be_visible()
    page.get_by_label(t("chat.engine")).select_option(t("chat.engine_auto"))
    page.get_by_role("button", name=t("chat.settings"), exact=True).click()
    say(page, "two")
    expect(page.locator(".said:not(.own) .words")).to_have_count(2)
    ended(page)
    choose(page, "echo")
    say(page, "three")
    expect(page.locator(".said:not(.own) .words")).to_have_count(3)
    expect(page.locator(".said:not(.own) .words").last).to_contain_text("three")
    ended(page)


def test_a_pull_rests_goes_on_and_is_given_up(
    watched: Watched, page: Page, server: Served, shelf: Shelf, t: Words
) -> None:
    shelf.manners = [Manner(stall_after=150_000)]
    page.goto(f"{server.address}/#models")
    page.get_by_label(t("models.license"), exact=True).select_option("Odd-1.0")
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="paused:tiny"))
    expect(page.locator(".rows li")).to_have_count(1)
    row.get_by_role("button", name=f"{t('models.fetch')} paused:tiny").click()
    expect(row.get_by_role("progressbar")).to_have_attribute("max", re.compile(r"\d{6}"))
    row.get_by_role("button", name=f"{t('models.pause')} paused:tiny").click()
    expect(row.get_by_text(t.like("models.paused"))).to_be_visible()
    page.reload()
    page.get_by_label(t("models.license"), exact=True).select_option("Odd-1.0")
    expect(row.get_by_text(t.like("models.paused"))).to_be_visible()
    row.get_by_role("button", name=t("models.give_up", name="paused:tiny")).click()
    expect(row.get_by_role("button", name=f"{t('models.fetch')} paused:tiny")).to_be_visible()
    row.get_by_role("button", name=f"{t('models.fetch')} paused:tiny").click()
    expect(row.get_by_role("progressbar")).to_have_attribute("max", re.compile(r"\d{6}"))
    row.get_by_role("button", name=f"{t('models.pause')} paused:tiny").click()
    expect(row.get_by_text(t.like("models.paused"))).to_be_visible()
    shelf.manners = [Manner()]
    row.get_by_role("button", name=f"{t('models.resume')} paused:tiny").click()
    expect(row.get_by_text(t("models.is_here"), exact=True)).to_be_visible()
    assert any(asked and not asked.startswith("bytes=0-") for asked in shelf.ranges)
    watched.agrees = True
    tile = page.locator(".tile", has=page.get_by_role("link", name="paused:tiny"))
    tile.get_by_role("button", name=t("models.remove")).click()
    expect(tile).to_have_count(0)


def test_a_model_is_measured_in_the_page(page: Page, server: Served, t: Words) -> None:
    page.goto(f"{server.address}/#models/echo")
    page.get_by_role("button", name=t("tune.begin")).click()
    table = page.get_by_role("region", name=t("tune.title"))
    expect(table.get_by_role("rowheader", name="echo").first).to_be_visible()
    expect(page.get_by_text(t("tune.use_one_user", engine="echo"))).to_be_visible()
    expect(page.get_by_role("button", name=t("tune.again"))).to_be_visible()
    page.reload()
    expect(table.get_by_role("rowheader", name="echo").first).to_be_visible()


def test_a_key_is_kept_and_a_model_elsewhere_is_talked_to(
    watched: Watched, page: Page, server: Served, school: StandInProvider, t: Words
) -> None:
    watched.agrees = True
    page.goto(f"{server.address}/#settings")
    line = page.get_by_role("listitem").filter(has_text="school")
    line.get_by_label(t("remote.key", name="school")).fill(KEY)
    line.get_by_role("button", name=f"{t('remote.keep')} school").click()
    expect(line.get_by_text(re.compile(f"{t('remote.key_file')}|{t('remote.key_keyring')}"))).to_be_visible()
    assert KEY not in page.content()
    page.get_by_label(t("remote.allow")).click()
    line.get_by_role("button", name=t("remote.models", name="school")).click()
    page.get_by_role("checkbox", name="school/says").check()
    page.goto(f"{server.address}/#chat")
    choose(page, "school/says")
    expect(page.get_by_text(t("chat.leaves"))).to_be_visible()
    school.replies = [stream(ANSWER)]
    say(page, "hello over there")
    ended(page)
    assert "Good morning." in answers(page)[0]
    page.goto(f"{server.address}/#settings")
    line.get_by_role("button", name=t("remote.forget", name="school")).click()
    expect(line.get_by_text(t("remote.no_key_needed"))).to_be_visible()
    page.get_by_label(t("remote.allow")).click()
    expect(page.get_by_label(t("remote.allow"))).not_to_be_checked()
    page.goto(f"{server.address}/#chat")
    expect(page.get_by_label(t("chat.model"), exact=True).get_by_role("option", name="school/says")).to_have_count(0)


def test_tokens_are_made_and_taken_back(page: Page, server: Served, t: Words) -> None:
    page.goto(f"{server.address}/#settings")
    page.get_by_label(t("tokens.name")).fill("tablet")
    page.get_by_role("button", name=t("tokens.add")).click()
    token = page.locator(".told code")
    expect(token).to_contain_text("abierto-")
    made = token.inner_text()
    with server.client(headers={"authorization": f"Bearer {made}"}) as client:
        assert client.get("/abierto/v1/status").status_code == 200
        page.get_by_role("button", name=t("tokens.hide")).click()
        page.reload()
        expect(page.get_by_role("listitem").filter(has_text="tablet")).to_be_visible()
        assert made not in page.content()
        page.get_by_role("button", name=t("tokens.remove", name="tablet")).click()
        expect(page.get_by_role("listitem").filter(has_text="tablet")).to_have_count(0)
        assert client.get("/abierto/v1/status").status_code == 401


def test_what_is_kept_is_shown_and_deleted_in_part(watched: Watched, page: Page, server: Served, t: Words) -> None:
    choose(page, "echo")
    say(page, "to be forgotten")
    ended(page)
    page.goto(f"{server.address}/#settings")
    expect(page.get_by_text(str(server.home / "data"), exact=True)).to_be_visible()
    line = page.get_by_role("listitem").filter(
        has=page.get_by_role("button", name=f"{t('storage.delete')} {t('storage.conversations')}")
    )
    expect(line.get_by_text(re.compile(r"[1-9]"))).to_be_visible()
    watched.agrees = True
    line.get_by_role("button").click()
    expect(line.get_by_role("button")).to_be_disabled()
    expect(page.get_by_role("link", name="to be forgotten")).to_have_count(0)


def test_every_licence_is_told(page: Page, server: Served, t: Words) -> None:
    page.goto(f"{server.address}/#settings")
    page.get_by_text(t("settings.all_licenses")).click()
    row = page.get_by_role("row", name=re.compile("starlette"))
    expect(row).to_contain_text("BSD-3-Clause")


def test_speeds_and_memory_are_drawn_and_troubles_told(page: Page, server: Served, t: Words) -> None:
    with server.client() as client:
        said = {"model": "random", "max_tokens": 20, "messages": [{"role": "user", "content": "many words"}]}
        for _ in range(2):
            assert client.post("/v1/chat/completions", json=said).status_code == 200
        client.post("/abierto/v1/pulls", json={"model": "pypi:no-such==1.0#a/b.gguf"})
    page.goto(f"{server.address}/#activity")
    expect(page.get_by_role("img", name=re.compile(f"{t('activity.speeds')}: .*random .*token"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(f"{t('activity.memory_taken')}: .*B"))).to_be_visible()
    trouble = page.get_by_role("listitem").filter(has_text=t.like("activity.pull_failed"))
    expect(trouble.first).to_contain_text("package_not_found")


def test_a_column_keeps_its_settings_and_is_asked_with_them(page: Page, server: Served, t: Words) -> None:
    asked: list[dict[str, object]] = []
    page.on(
        "request",
        lambda request: (
            asked.append(json.loads(request.post_data or "{}")) if "/chat/completions" in request.url else None
        ),
    )
    page.goto(f"{server.address}/#compare")
    for number in (1, 2):
        page.get_by_role("combobox", name=f"{t('chat.model')}, {t('compare.column', number=number)}").select_option(
            "echo"
        )
    column = page.get_by_role("article", name=t("compare.column", number=2))
    column.get_by_text(t("compare.settings")).click()
    column.get_by_label(t("sampler.top_k")).fill("5")
    column.get_by_label(t("compare.system")).fill("In verse.")
    page.get_by_role("textbox", name=t("compare.prompt")).fill("one question")
    page.reload()
    expect(page.get_by_role("textbox", name=t("compare.prompt"))).to_have_value("one question")
    expect(column).to_contain_text(f"{t('sampler.top_k')} 5")
    page.get_by_role("button", name=t("compare.run")).click()
    expect(page.get_by_role("region", name=t("compare.answer", number=2))).to_contain_text("one question")
    expect(page.get_by_role("button", name=t("compare.run"))).to_be_visible()
    [first, second] = sorted(asked, key=lambda body: "top_k" in body)
    assert "top_k" not in first
    assert (second["top_k"], len(second["messages"])) == (5, 2)  # type: ignore[arg-type]


def test_a_text_goes_on_from_the_cursor_and_back_again(page: Page, server: Served, t: Words) -> None:
    page.goto(f"{server.address}/#notebook")
    page.get_by_role("combobox", name=t("chat.model")).select_option("random")
    page.get_by_role("spinbutton", name=t("sampler.max_tokens")).fill("8")
    page.get_by_role("button", name=t("notebook.begin_story")).click()
    paper = page.get_by_role("textbox", name=t("notebook.paper"))
    paper.fill("keep this and not this")
    paper.evaluate("field => field.setSelectionRange(9, 9)")
    page.get_by_role("button", name=t("notebook.from_here")).click()
    expect(page.get_by_role("button", name=t("notebook.undo"))).to_be_enabled()
    expect(paper).to_have_value(re.compile(r"^keep this(?! and not)"))
    page.get_by_role("button", name=t("notebook.undo")).click()
    expect(paper).to_have_value("keep this and not this")


def test_a_token_is_made_unlikely_by_its_number(page: Page, server: Served, t: Words) -> None:
    page.goto(f"{server.address}/#notebook")
    page.get_by_role("combobox", name=t("chat.model")).select_option("endless")
    page.get_by_role("spinbutton", name=t("sampler.max_tokens")).fill("16")
    bias = page.get_by_label(t("sampler.logit_bias"))
    bias.fill("b=-100")
    bias.press("Tab")
    expect(page.get_by_role("alert")).to_have_text(t("sampler.logit_bias_how"))
    bias.fill(f"{ord('b')}=-100, {ord('a')}=0,5")
    bias.press("Tab")
    expect(page.get_by_role("alert")).to_have_count(0)
    paper = page.get_by_role("textbox", name=t("notebook.paper"))
    paper.fill("so\n")
    page.get_by_role("button", name=t("notebook.go_on"), exact=True).click()
    expect(page.get_by_role("button", name=t("notebook.undo"))).to_be_enabled()
    assert paper.input_value() != "so\n"
    assert "b" not in paper.input_value()
    page.reload()
    expect(bias).to_have_value(f"{ord('a')}=0.5 {ord('b')}=-100")


def test_a_panel_is_one_folder_and_one_line(browser: Browser, server: Served) -> None:
    view = 'late(async () => (await import("./panels/hello/hello.js")).Hello)'
    line = f'{{ name: "hello", icon: "M4 4h12v12H4z", view: {view} }},'

    def added(route: Route) -> None:
        found = route.fetch()
        route.fulfill(response=found, body=found.text().replace("\n];", f"\n  {line}\n];"))

    context = browser.new_context(locale="en-GB", service_workers="block")
    context.route(re.compile(r"/studio/\w+/panels\.js$"), added)
    context.route(re.compile(r"/hello\.js$"), lambda route: route.fulfill(body=PANEL, content_type="text/javascript"))
    page = context.new_page()
    page.goto(f"{server.address}/#hello/you")
    expect(page.get_by_role("heading", name="Hello you")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(8)
    context.close()


def test_a_conversation_is_printed_whole(page: Page) -> None:
    choose(page, "echo")
    say(page, "\n\n".join(f"paragraph {number}" for number in range(60)))
    ended(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("textbox", name="Ask or say something")).to_be_hidden()
    expect(page.get_by_role("navigation")).to_be_hidden()
    for place in (".thread", "main", "html"):
        assert page.locator(place).evaluate(
            "one => one.scrollHeight <= one.clientHeight + 1 || getComputedStyle(one).overflowY === 'visible'"
        )
    assert len(page.pdf()) > 10_000
