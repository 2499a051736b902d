"""Texts that are attached to what is said, also those that are longer than the context; and what is not lost."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.studio.test_chat import FIELD, choose, ended, say

NEEDLE = "Basil grows in the pots beside the old harbour wall, and it is watered every morning."


@pytest.fixture
def long_text() -> dict[str, object]:
    """Some 7,000 words with one sentence about basil."""
    lines = [
        f"In chapter {number} a ship is loaded with {number} boxes of nails and rope for the north."
        for number in range(400)
    ]
    lines.insert(250, NEEDLE)
    return {"name": "book.txt", "mimeType": "text/plain", "buffer": "\n\n".join(lines).encode()}


def test_of_a_text_longer_than_the_context_the_nearest_passages_are_sent(
    page: Page, long_text: dict[str, object]
) -> None:
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.post_data or "") if "/v1/responses" in request.url else None
    )
    choose(page, "echo")
    page.get_by_label("Attach pictures or texts").set_input_files(long_text)  # type: ignore[arg-type]
    say(page, "Where does the basil grow?")
    sent = page.locator(".own .sent")
    expect(sent).to_be_visible()
    ended(page)
    expect(sent.locator("summary")).to_contain_text("use-multilingual")
    few, all_ = map(int, re.findall(r"\d+", sent.locator("summary").inner_text())[:2])
    assert 3 < few < all_
    sent.locator("summary").click()
    expect(sent.get_by_role("listitem").first).to_contain_text(NEEDLE)
    assert NEEDLE in asked[-1]
    assert "Where does the basil grow?" in asked[-1]
    assert len(asked[-1]) < len(long_text["buffer"])  # type: ignore[arg-type]
    page.reload()
    expect(page.locator(".own .sent summary")).to_contain_text("use-multilingual")


def test_without_an_embedding_model_it_is_refused_with_numbers(page: Page, long_text: dict[str, object]) -> None:
    def without(route: Route) -> None:
        body = route.fetch().json()
        route.fulfill(json={"models": [one for one in body["models"] if one["task"] != "embed"]})

    page.route("**/abierto/v1/models", without)
    choose(page, "echo")
    page.get_by_label("Attach pictures or texts").set_input_files(long_text)  # type: ignore[arg-type]
    say(page, "Where does the basil grow?")
    trouble = page.locator(".said .trouble")
    expect(trouble).to_contain_text("embedding model")
    expect(trouble).to_contain_text("4,096")
    page.unroute_all(behavior="wait")


def test_the_meter_warns_while_one_types(page: Page) -> None:
    choose(page, "echo")
    say(page, "hello")
    ended(page)
    expect(page.get_by_label("Context taken")).to_be_visible()
    field = page.get_by_role("textbox", name=FIELD)
    for words, warning in ((3500, "nearly full"), (4200, "does not fit")):
        field.fill("word " * words)
        expect(page.get_by_role("status").filter(has_text=warning)).to_be_visible()
    field.fill("")
    expect(page.get_by_role("status").filter(has_text="fit")).to_have_count(0)


def test_what_is_attached_or_reworded_is_there_after_a_reload(page: Page) -> None:
    choose(page, "echo")
    say(page, "first")
    ended(page)
    note = {"name": "herbs.txt", "mimeType": "text/plain", "buffer": b"basil"}
    page.get_by_label("Attach pictures or texts").set_input_files(note)  # type: ignore[arg-type]
    expect(page.locator(".composer .files")).to_contain_text("herbs.txt")
    page.locator(".own").hover()
    page.get_by_role("button", name="Edit and ask again").click()
    page.get_by_role("textbox", name="Edit and ask again").fill("second")
    page.reload()
    expect(page.locator(".composer .files")).to_contain_text("herbs.txt")
    expect(page.get_by_role("textbox", name="Edit and ask again")).to_have_value("second")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".own .words")).to_have_text("first")
