"""Long conversations and long answers."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.server.conftest import Served
from tests.studio.conftest import Words
from tests.studio.test_chat import answers, choose, ended, say

MESSAGES = 300
# A browser that is killed writes nothing down as it goes.
FORGET = """try {
  for (const key of Object.keys(localStorage)) if (key.startsWith("abierto.unsent.")) localStorage.removeItem(key);
} catch {}"""


@pytest.fixture
def talk(server: Served) -> str:
    """The address of a conversation of many messages."""
    turns = [{"role": ("user", "assistant")[turn % 2], "content": f"turn {turn}."} for turn in range(MESSAGES)]
    with server.client() as client:
        body = {"title": "long", "model": "echo", "messages": turns}
        return f"{server.address}/#chat/{client.post('/abierto/v1/conversations', json=body).json()['id']}"


def test_a_long_conversation_begins_at_its_end_and_is_made_as_somebody_scrolls(page: Page, talk: str) -> None:
    page.goto(talk)
    expect(page.get_by_text(f"turn {MESSAGES - 1}.", exact=True)).to_be_in_viewport()
    assert page.locator(".said").count() < MESSAGES / 2
    first = page.get_by_text("turn 0.", exact=True)
    expect(first).to_have_count(0)
    page.locator(".thread").focus()
    page.keyboard.press("Home")
    expect(first).to_be_in_viewport()
    page.keyboard.press("End")
    expect(page.get_by_text(f"turn {MESSAGES - 1}.", exact=True)).to_be_in_viewport()


def test_where_somebody_reads_does_not_move_when_more_is_made_above(page: Page, talk: str) -> None:
    page.goto(talk)
    last = page.get_by_text(f"turn {MESSAGES - 1}.", exact=True)
    expect(last).to_be_in_viewport()
    before, top = page.locator(".said").count(), last.evaluate("it => it.getBoundingClientRect().top")
    page.locator(".thread").evaluate("it => it.scrollBy(0, -1000)")
    expect(page.locator(".said")).not_to_have_count(before)
    assert abs(last.evaluate("it => it.getBoundingClientRect().top") - top - 1000) <= 1


def test_the_whole_conversation_is_printed(page: Page, talk: str) -> None:
    page.goto(talk)
    expect(page.get_by_text(f"turn {MESSAGES - 1}.", exact=True)).to_be_in_viewport()
    assert page.locator(".said").count() < MESSAGES
    page.pdf()
    expect(page.locator(".said")).to_have_count(MESSAGES)


def test_a_line_of_a_megabyte_is_shown(page: Page) -> None:
    choose(page, "echo")
    say(page, "x" * 1_000_000)
    ended(page)
    assert len(answers(page)[0]) >= 1_000_000


def test_an_answer_is_announced_when_it_begins_and_read_when_it_is_whole(page: Page, t: Words) -> None:
    voice = page.locator("[aria-live=polite]")
    choose(page, "endless")
    say(page, "go on")
    expect(voice).to_have_text(t("chat.writing"))
    expect(page.locator(".said:not(.own) .words")).to_contain_text("abcabc")
    page.get_by_role("button", name=t("chat.stop")).click()
    ended(page)
    expect(voice).to_contain_text("abcabc")
    # What was said before is not read out again when somebody comes back.
    page.reload()
    expect(page.locator(".said")).to_have_count(2)
    expect(voice).to_have_text("")


class Losing:
    """A network on which no writing arrives while it is on. Whoever takes the route away sends what waits there."""

    on = True

    def __call__(self, route: Route) -> None:
        if not self.on or route.request.method != "PUT":
            route.fallback()


class Unheard:
    """A network on which the page does not hear of what it begins while it is on; with a client it arrives even so."""

    on = True

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, route: Route) -> None:
        if not self.on or route.request.method != "POST":
            route.fallback()
        elif self._client:
            self._client.post("/abierto/v1/conversations", json=route.request.post_data_json)


@pytest.mark.parametrize("killed", [False, True])
def test_an_answer_that_ended_as_the_page_was_left_is_not_read_out(page: Page, t: Words, killed: bool) -> None:
    """The server has the whole answer, but was not told any more that the page had it too."""

    def told(reply: Response) -> bool:
        return reply.request.method == "PUT" and "/abierto/v1/conversations/" in reply.url

    choose(page, "endless")
    with page.expect_response(told):
        say(page, "go on")
    words = page.locator(".said:not(.own) .words")
    expect(words).to_contain_text("abcabc")
    losing = Losing()
    page.route("**/abierto/v1/conversations/*", losing)
    page.get_by_role("button", name=t("chat.stop")).click()
    ended(page)
    written, address = answers(page)[0], page.url
    page.goto("about:blank")
    losing.on = False
    if killed:
        page.add_init_script(FORGET)
    with page.expect_response(told):
        page.goto(address)
    expect(words).to_have_text(written)
    expect(page.locator("[aria-live=polite]")).to_have_text("")


def test_a_branch_that_had_not_been_written_down_when_the_page_was_left_is_there_afterwards(
    page: Page, t: Words
) -> None:
    choose(page, "echo")
    say(page, "one")
    ended(page)
    losing = Losing()
    page.route("**/abierto/v1/conversations/*", losing)
    page.get_by_role("button", name=t("chat.edit")).click()
    page.get_by_role("textbox", name=t("chat.edit")).fill("two")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said:not(.own) .words")).to_have_text("two")
    ended(page)
    address = page.url
    page.goto("about:blank")
    losing.on = False
    page.goto(address)
    expect(page.locator(".said:not(.own) .words")).to_have_text("two")
    page.reload()
    expect(page.locator(".said:not(.own) .words")).to_have_text("two")


def test_an_answer_whose_connection_breaks_is_read_on(page: Page, t: Words, server: Served) -> None:
    """The server goes on with it, and can be asked for it once more."""
    begun: list[str] = []

    def cut(route: Route) -> None:
        with server.client() as client:
            body: Any = route.request.post_data_json
            begun.append(client.post("/v1/responses", json={**body, "stream": False}).json()["id"])
        created = {"type": "response.created", "response": {"id": begun[0]}}
        route.fulfill(content_type="text/event-stream", body=f"data: {json.dumps(created)}\n\n")

    page.route("**/v1/responses", cut)
    choose(page, "endless")
    say(page, "go on")
    expect(page.locator(".said:not(.own) .words")).to_contain_text("abcabc")
    page.get_by_role("button", name=t("chat.stop")).click()
    ended(page)
    assert len(begun) == 1


def test_what_was_said_last_is_written_also_when_another_conversation_is_opened_at_once(page: Page, t: Words) -> None:
    """The server is slow, so that writings wait for each other."""
    choose(page, "echo")
    say(page, "one")
    ended(page)
    address = page.url
    losing = Losing()
    page.route("**/abierto/v1/conversations/*", losing)
    page.get_by_role("button", name=t("chat.edit")).click()
    page.get_by_role("textbox", name=t("chat.edit")).fill("two")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said:not(.own) .words")).to_have_text("two")
    ended(page)
    page.get_by_role("link", name=t("chat.new")).or_(page.get_by_role("button", name=t("chat.new"))).first.click()
    expect(page.locator(".said")).to_have_count(0)
    page.unroute("**/abierto/v1/conversations/*", losing)  # what waits there is sent now
    page.goto(address)
    expect(page.locator(".said:not(.own) .words")).to_have_text("two")


@pytest.mark.parametrize("arrives", [True, False])
def test_a_conversation_that_is_left_before_it_has_a_number_is_begun_once_and_its_answer_goes_on(
    page: Page, t: Words, server: Served, arrives: bool
) -> None:
    with server.client() as client:
        before = len(client.get("/abierto/v1/conversations").json()["conversations"])

        unheard = Unheard(client if arrives else None)
        page.route("**/abierto/v1/conversations", unheard)
        choose(page, "endless")
        say(page, "go on")
        words = page.locator(".said:not(.own) .words")
        expect(words).to_contain_text("abcabc")
        address, unheard.on = page.url, False
        page.reload()
        expect(page).not_to_have_url(address)
        expect(words).to_contain_text("abcabc")
        page.get_by_role("button", name=t("chat.stop")).click()
        ended(page)
        expect(page.get_by_role("link", name="go on").first).to_be_visible()
        assert len(client.get("/abierto/v1/conversations").json()["conversations"]) == before + 1
