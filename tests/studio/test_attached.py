"""Texts that are attached to what is said, also those that are longer than the context; and what is not lost."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.server.conftest import Serve, Served
from tests.studio.conftest import Words
from tests.studio.test_chat import answers, choose, ended, say
from tests.tiny_gguf import TinyGGUF
from tests.tiny_projector import TOKENS, TinyProjector

SAYS = "Hé 你🙂."
NEEDLE = "Basil grows in the pots beside the old harbour wall, and it is watered every morning."


@pytest.fixture(scope="module")
def server(serve: Serve, language: str, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A server with a model that sees."""
    folder = tmp_path_factory.mktemp("sees")
    TinyProjector().write(folder / "mmproj-sees.gguf")
    TinyGGUF(says=SAYS, dtype="f16", context=1024).write(folder / "sees.gguf")
    return serve(folders=folder)


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
    page: Page, long_text: dict[str, object], t: Words
) -> None:
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.post_data or "") if "/v1/responses" in request.url else None
    )
    choose(page, "echo")
    page.get_by_label(t("chat.attach")).set_input_files(long_text)  # type: ignore[arg-type]
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


def test_a_picture_is_seen_by_a_model_that_sees(page: Page, t: Words) -> None:
    taken = page.locator(".under meter")
    choose(page, "sees")
    say(page, "What is this?")
    ended(page)
    before = int(taken.get_attribute("value") or 0)
    page.get_by_role("link", name=t("chat.new")).click()
    expect(page.locator(".said")).to_have_count(0)
    picture = {"name": "dot.png", "mimeType": "image/png", "buffer": page.screenshot()}
    page.get_by_label(t("chat.attach")).set_input_files(picture)  # type: ignore[arg-type]
    expect(page.get_by_role("img", name="dot.png")).to_be_visible()
    say(page, "What is this?")
    ended(page)
    assert answers(page) == [SAYS]
    expect(taken).to_have_attribute("value", str(before + TOKENS))


def test_without_an_embedding_model_it_is_refused_with_numbers(
    page: Page, long_text: dict[str, object], t: Words
) -> None:
    def without(route: Route) -> None:
        body = route.fetch().json()
        route.fulfill(json={"models": [one for one in body["models"] if one["task"] != "embed"]})

    page.route("**/abierto/v1/models", without)
    choose(page, "echo")
    page.get_by_label(t("chat.attach")).set_input_files(long_text)  # type: ignore[arg-type]
    say(page, "Where does the basil grow?")
    trouble = page.locator(".said .trouble")
    expect(trouble).to_contain_text(t.like("chat.no_embedder", model="echo"))
    expect(trouble).to_contain_text(re.compile("4[,.]?096"))
    page.unroute_all(behavior="wait")


def test_the_meter_warns_while_one_types(page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, "hello")
    ended(page)
    expect(page.get_by_label(t("chat.context"))).to_be_visible()
    field = page.get_by_role("textbox", name=t("chat.say"))
    for words, warning in ((3500, "chat.nearly_full"), (4200, "chat.too_full")):
        field.fill("word " * words)
        expect(page.get_by_role("status").filter(has_text=t(warning))).to_be_visible()
    field.fill("")
    expect(page.get_by_role("status").filter(has_text=t("chat.too_full"))).to_have_count(0)


def test_what_is_attached_or_reworded_is_there_after_a_reload(page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, "first")
    ended(page)
    note = {"name": "herbs.txt", "mimeType": "text/plain", "buffer": b"basil"}
    page.get_by_label(t("chat.attach")).set_input_files(note)  # type: ignore[arg-type]
    expect(page.locator(".composer .files")).to_contain_text("herbs.txt")
    page.locator(".own").hover()
    page.get_by_role("button", name=t("chat.edit")).click()
    page.get_by_role("textbox", name=t("chat.edit")).fill("second")
    page.reload()
    expect(page.locator(".composer .files")).to_contain_text("herbs.txt")
    expect(page.get_by_role("textbox", name=t("chat.edit"))).to_have_value("second")
    page.get_by_role("button", name=t("cancel")).click()
    expect(page.locator(".own .words")).to_have_text("first")
