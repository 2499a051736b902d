"""A conversation in the browser, as a person has it."""

import json
import re

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.server.conftest import Served
from tests.studio.conftest import Watched, Words, spoken

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
# Words about the files that conversations are saved in, which are no such file.
SPOKEN_OF = '<data id="conversation" value="{}">\n<!-- abierto: user -->\nend'
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> ![seen](https://example.org/track.png) "
    "[run](javascript:alert(3)) <iframe src='https://example.org'></iframe> <form action=https://example.org><input "
    "name=a></form> <a href='https://example.org' onclick='alert(4)'>no</a>\n\n"
    "[ok](https://example.org/ok) [run](javascript:alert(6)) H<sub>2</sub>O ![seen](https://example.org/b.png)\n\n"
    "<div onclick='alert(5)'>box</div>\n\n```html\n<b>never closed"
)


def choose(page: Page, model: str) -> None:
    """Take a model."""
    page.get_by_label(spoken(page)("chat.model"), exact=True).select_option(model)


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.get_by_role("textbox", name=spoken(page)("chat.say")).fill(text)
    page.keyboard.press("Enter")


def answers(page: Page) -> list[str]:
    """What the model said so far."""
    return page.locator(".said:not(.own) .words").all_inner_texts()


def ended(page: Page) -> None:
    """Wait until nothing is being written, and the conversation is kept."""
    expect(page.get_by_role("button", name=spoken(page)("chat.send"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"#chat/\d+$"))


def test_a_newcomer_asks_and_is_answered(page: Page, t: Words) -> None:
    expect(page.get_by_role("heading", name=t("chat.welcome"))).to_be_visible()
    choose(page, "echo")
    say(page, "Hello there")
    ended(page)
    assert "Hello there" in answers(page)[0]
    expect(page.get_by_role("link", name="Hello there")).to_be_visible()
    assert re.search(r"#chat/\d+$", page.url)
    expect(page.locator(".under")).to_contain_text(t("chat.tokens", used="").strip())


def test_a_conversation_is_there_after_a_reload_and_in_the_search(page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, "A lighthouse in the fog")
    ended(page)
    page.reload()
    expect(page.locator(".said")).to_have_count(2)
    search = page.get_by_role("searchbox", name=t("chat.search"))
    search.fill("zebra")
    expect(page.get_by_text(t("chat.none_found"))).to_be_visible()
    search.fill("fog")
    expect(page.get_by_role("link", name="A lighthouse in the fog")).to_be_visible()


def of_three_answers(reply: Response) -> bool:
    """Whether the server was told of a conversation with three answers that are whole."""
    if reply.request.method != "PUT":
        return False
    nodes = json.loads(reply.request.post_data or "")["tree"]["nodes"].values()
    return len([one for one in nodes if one["role"] == "assistant" and one["content"]]) == 3


def test_messages_have_branches_that_can_be_walked(page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, "first wording")
    ended(page)
    page.locator(".own").hover()
    page.get_by_role("button", name=t("chat.edit")).click()
    page.get_by_role("textbox", name=t("chat.edit")).fill("second wording")
    page.locator(".editor").get_by_role("button", name=t("chat.send")).click()
    ended(page)
    expect(page.locator(".own .words")).to_have_text("second wording")
    expect(page.locator(".own .branches")).to_contain_text("2/2")
    page.locator(".own").get_by_role("button", name=t("chat.branch_before")).click()
    expect(page.locator(".own .words")).to_have_text("first wording")
    assert "first wording" in answers(page)[0]
    page.locator(".said:not(.own)").hover()
    with page.expect_response(of_three_answers):
        page.get_by_role("button", name=t("chat.retry")).click()
    expect(page.locator(".said:not(.own) .branches")).to_contain_text("2/2")
    page.reload()
    expect(page.locator(".said:not(.own) .branches")).to_contain_text("2/2")
    expect(page.locator(".own .words")).to_have_text("first wording")


def test_an_answer_goes_on_when_the_page_is_closed_and_can_be_stopped(page: Page, t: Words) -> None:
    choose(page, "endless")
    say(page, "go on")
    expect(page.locator(".said:not(.own) .words")).to_contain_text("abcabc")
    expect(page).to_have_url(re.compile(r"#chat/\d+$"))
    page.reload()
    expect(page.locator(".said:not(.own) .words")).to_contain_text("abcabc")
    page.get_by_role("button", name=t("chat.stop")).click()
    ended(page)
    kept = answers(page)[0]
    assert "abc" in kept
    page.reload()
    expect(page.locator(".said:not(.own) .words")).to_have_text(kept)


def test_what_was_typed_and_not_sent_is_there_after_a_reload(page: Page, t: Words) -> None:
    page.get_by_role("textbox", name=t("chat.say")).fill("half a thou")
    page.reload()
    expect(page.get_by_role("textbox", name=t("chat.say"))).to_have_value("half a thou")
    page.get_by_role("textbox", name=t("chat.say")).fill("")


def test_what_a_model_writes_can_do_nothing(page: Page) -> None:
    choose(page, "echo")
    say(page, HOSTILE)
    ended(page)
    said = page.locator(".said:not(.own) .words")
    expect(said).to_contain_text("never closed")
    expect(said).to_contain_text("<img src=x onerror=alert(2)>")
    expect(said.locator("sub")).to_have_text("2")
    assert said.locator("div[onclick], img, script, iframe, form, input, style, [onclick], [onerror]").count() == 0
    links = said.locator("a").evaluate_all("all => all.map(one => [one.getAttribute('href'), one.rel])")
    assert [href for href, _ in links if href] == ["https://example.org/ok"]
    assert all("noopener" in rel for href, rel in links if href)


def test_formulas_are_drawn_and_dollars_are_not(page: Page) -> None:
    choose(page, "echo")
    say(
        page,
        r"It is $\frac{1}{2} \mathbf{v}$, not \(x_1\), for $5 or $10; `$y$`; $\href{javascript:alert(1)}{no}$"
        "\n\n$$\na\n= b\n$$",
    )
    ended(page)
    said = page.locator(".said:not(.own) .words")
    expect(said.locator("math")).to_have_count(3)
    expect(said.locator("mfrac")).to_have_count(1)
    expect(said.locator(".display math")).to_have_count(1)
    expect(said).to_contain_text("$5 or $10")
    expect(said.locator("code", has_text="$y$")).to_have_count(1)
    assert said.locator("h1, a").count() == 0


def test_texts_and_pictures_are_attached(watched: Watched, page: Page, t: Words) -> None:
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.post_data or "") if "/v1/responses" in request.url else None
    )
    choose(page, "echo")
    attach = page.get_by_label(t("chat.attach"))
    attach.set_input_files({"name": "odd.bin", "mimeType": "application/x", "buffer": b"a\x00b"})
    expect(page.get_by_role("alert")).to_contain_text(t("chat.no_text", name="odd.bin"))
    attach.set_input_files({"name": "herbs.txt", "mimeType": "text/plain", "buffer": b"basil and thyme"})
    expect(page.locator(".composer .files")).to_contain_text("herbs.txt")
    say(page, "which herbs?")
    ended(page)
    assert "basil and thyme" in answers(page)[0]
    page.reload()
    expect(page.locator(".own .files")).to_contain_text("herbs.txt")
    attach.set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": page.screenshot()})
    expect(page.get_by_role("img", name="dot.png")).to_be_visible()
    page.get_by_role("button", name=t("chat.detach", name="dot.png")).click()
    expect(page.get_by_role("img", name="dot.png")).to_have_count(0)
    attach.set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": page.screenshot()})
    say(page, "and what is here?")
    expect(page.locator(".own").last.get_by_role("img", name="dot.png")).to_be_visible()
    ended(page)
    assert "data:image/jpeg;base64," in asked[-1]


def test_a_conversation_is_saved_and_brought_in_again(page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, f"lasting words {SPOKEN_OF} {HOSTILE}")
    ended(page)
    saved = {}
    for kind in ("md", "html", "json"):
        with page.expect_download() as download:
            page.get_by_label(t("chat.export")).select_option(kind)
        saved[kind] = download.value.path().read_text("utf-8")
        assert download.value.suggested_filename.endswith(kind)
        assert "lasting words" in saved[kind]
    assert "<script" not in saved["html"]
    assert "<img" not in saved["html"]
    page.goto(page.url.partition("#")[0] + "#chat")
    bring = page.get_by_label(t("chat.bring"))
    bring.set_input_files({"name": "odd.json", "mimeType": "application/json", "buffer": b"[1]"})
    expect(page.get_by_role("alert")).to_contain_text(t("chat.no_conversation", name="odd.json"))
    for kind, file in saved.items():
        before = page.url
        bring.set_input_files({"name": f"a.{kind}", "mimeType": "", "buffer": file.encode()})
        expect(page).not_to_have_url(before)
        expect(page.locator(".own .words")).to_have_text(f"lasting words {SPOKEN_OF} {HOSTILE}", use_inner_text=True)
        expect(page.locator(".said")).to_have_count(2)
        expect(page.locator(".trouble")).to_have_count(0)
        with page.expect_download() as download:
            page.get_by_label(t("chat.export")).select_option("md")
        assert download.value.path().read_text("utf-8") == saved["md"]


def test_pictures_of_a_conversation_that_is_brought_in_are_data(page: Page) -> None:
    addresses = [PIXEL, "https://example.org/track.png", 'data:image/png;base64,AA"><script>alert(1)</script>']
    files = [{"name": f"picture {number}", "image": image} for number, image in enumerate(addresses)]
    tree = {"nodes": {"a": {"id": "a", "parent": "", "role": "user", "content": "look", "files": files}}, "leaf": "a"}
    body = json.dumps({"messages": [{"role": "user", "content": "look"}], "tree": tree}).encode()
    page.get_by_label("Bring a conversation in").set_input_files(
        {"name": "a.json", "mimeType": "application/json", "buffer": body}
    )
    expect(page.locator(".own .files img")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_label("Save as").select_option("html")
    saved = download.value.path().read_text("utf-8")
    assert "look" in saved
    assert "<script" not in saved
    assert "example.org" not in saved


def test_a_refusal_is_told_in_the_servers_words_and_nothing_is_lost(page: Page, t: Words) -> None:
    choose(page, "says")
    say(page, "word " * 3000)
    expect(page.locator(".said .trouble")).to_contain_text(t.like("error.prompt_too_long"))
    assert "word word" in page.locator(".own .words").inner_text()


def test_a_conversation_is_renamed_and_deleted(watched: Watched, page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, "to be renamed")
    ended(page)
    page.get_by_role("link", name="to be renamed").hover()
    page.get_by_role("button", name=t("chat.rename_named", title="to be renamed")).click()
    page.get_by_role("textbox", name=t("chat.rename")).fill("another name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="another name")).to_be_visible()
    page.get_by_role("link", name="another name").hover()
    page.get_by_role("button", name=t("chat.delete_named", title="another name")).click()
    # Asked first; the answer here is no, and it stays.
    expect(page.get_by_role("link", name="another name")).to_be_visible()
    assert watched.faults == [f"a dialog: {t('chat.delete_question', title='another name')}"]
    watched.faults.clear()


def test_the_system_prompt_and_the_sampling_are_sent(page: Page, t: Words) -> None:
    choose(page, "endless")
    page.get_by_role("button", name=t("chat.settings"), exact=True).click()
    page.get_by_role("spinbutton", name=t("chat.max_output_tokens")).fill("16")
    page.keyboard.press("Tab")
    say(page, "short")
    ended(page)
    expect(page.get_by_text(t("chat.cut"))).to_be_visible()
    page.get_by_role("button", name=t("chat.go_on"), exact=True).click()
    ended(page)
    expect(page.locator(".said")).to_have_count(4)
    expect(page.get_by_role("button", name=t("chat.go_on"), exact=True)).to_have_count(1)


def test_an_assistant_is_kept_and_taken_in_another_conversation(page: Page, t: Words) -> None:
    choose(page, "echo")
    page.get_by_role("button", name=t("chat.settings"), exact=True).click()
    prompt = page.get_by_label(t("chat.system"))
    prompt.fill("Answer in verse.")
    page.get_by_role("button", name=t("chat.preset_exact")).click()
    page.get_by_label(t("chat.name_assistant")).fill("Poet")
    page.get_by_role("button", name=t("chat.keep_assistant")).click()
    page.reload()
    page.get_by_role("button", name=t("chat.settings"), exact=True).click()
    expect(prompt).to_have_value("")
    choose(page, "says")
    page.get_by_label(t("chat.assistant")).select_option("Poet")
    expect(prompt).to_have_value("Answer in verse.")
    expect(page.get_by_label(t("chat.model"), exact=True)).to_have_value("echo")
    expect(page.get_by_role("spinbutton", name=t("sampler.temperature"))).to_have_value("0")
    page.get_by_role("button", name=t("chat.forget_assistant", name="Poet")).click()
    expect(page.get_by_label(t("chat.assistant")).get_by_role("option")).to_have_count(1)


def test_conversations_lie_in_folders(page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, "about whales")
    ended(page)
    line = page.locator(".talks li", has_text="about whales")
    line.hover()
    line.get_by_role("button", name=t("chat.folder_named", title="about whales")).click()
    field = page.get_by_label(t("chat.folder_question", title="about whales"))
    field.fill("Sea")
    field.press("Enter")
    folder = page.locator(".folder", has_text="Sea")
    expect(folder.get_by_role("link", name="about whales")).to_be_visible()
    line.hover()
    line.get_by_role("button", name=t("chat.folder_named", title="about whales")).click()
    field.fill("")
    field.press("Enter")
    expect(folder).to_have_count(0)
    expect(page.get_by_role("link", name="about whales")).to_be_visible()


def test_a_conversation_of_the_terminal_can_be_gone_on_with(page: Page, server: Served) -> None:
    with server.client() as client:
        messages = [{"role": "user", "content": "from elsewhere"}, {"role": "assistant", "content": "indeed"}]
        body = {"title": "elsewhere", "model": "echo", "messages": messages}
        number = client.post("/abierto/v1/conversations", json=body).json()["id"]
    page.goto(f"{server.address}/#chat/{number}")
    expect(page.locator(".said")).to_have_count(2)
    choose(page, "echo")
    say(page, "and here")
    ended(page)
    with server.client() as client:
        kept = client.get(f"/abierto/v1/conversations/{number}").json()["messages"]
    assert [one["role"] for one in kept] == ["user", "assistant", "user", "assistant"]
    assert kept[2]["content"] == "and here"


@pytest.mark.parametrize(("tag", "heading"), [("es-ES", "¿Qué le gustaría saber?"), ("fr-FR", "What would you like")])
def test_the_page_speaks_the_language_of_the_browser(browser: Browser, server: Served, tag: str, heading: str) -> None:
    context = browser.new_context(locale=tag)
    page = context.new_page()
    page.goto(server.address)
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    assert page.locator("html").get_attribute("lang") == ("es" if tag == "es-ES" else "en")
    context.close()
