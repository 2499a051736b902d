"""What is typed: keys of one letter, and the field that nobody is to be pulled into or robbed of words in."""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.studio.conftest import Words
from tests.studio.test_chat import choose, ended, say

# A key is pressed while the one before has hardly been heard: what the page shows then, and where the focus goes.
AT_ONCE = """async () => {
  const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  press("?");
  for (let turn = 0; turn < 5; turn++) await null;
  const box = document.querySelector("dialog[open]");
  box?.close();
  press("k");
  return [box !== null, document.activeElement.tagName];
}"""
# What waits for the next picture has been done then.
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


def test_keys_of_one_letter(page: Page, t: Words) -> None:
    choose(page, "echo")
    say(page, "by keyboard")
    ended(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name=t("keys.title"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.keyboard.press("e")
    expect(page.get_by_role("textbox", name=t("chat.edit"))).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name=t("chat.search"))).to_be_focused()
    page.keyboard.type("?7")  # in a field these are letters
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("7")
    expect(page.get_by_role("heading", name=t("panel.settings"), level=1)).to_be_visible()
    page.get_by_role("group", name=t("settings.letters")).get_by_text(t("settings.letters_off")).click()
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name=t("panel.settings"), level=1)).to_be_visible()


def test_the_list_of_keys_is_there_before_the_next_key_and_gone_when_it_is_closed(page: Page) -> None:
    choose(page, "echo")
    say(page, "by keyboard")
    ended(page)
    page.keyboard.press("Escape")
    assert page.evaluate(AT_ONCE) == [True, "ARTICLE"]


def hold_the_number(page: Page) -> Callable[[], None]:
    """Let a conversation that begins wait for its number until what is returned is called."""
    address, held = "**/abierto/v1/conversations", []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.fallback()

    def release() -> None:
        for route in held:
            route.continue_()
        page.unroute(address, hold)

    page.route(address, hold)
    return release


def test_what_is_typed_while_a_conversation_gets_its_number_stays(page: Page) -> None:
    """Nor does the field take the focus back from somebody who has left it."""
    field = page.get_by_role("textbox", name="Ask or say something")
    choose(page, "echo")
    release = hold_the_number(page)
    say(page, "a first thing")
    expect(page.locator(".said:not(.own) .words")).to_contain_text("a first thing")
    field.fill("and a second")
    page.keyboard.press("Escape")
    release()
    ended(page)
    page.evaluate(FRAMES)
    expect(field).to_have_value("and a second")
    expect(field).not_to_be_focused()
    page.reload()
    expect(field).to_have_value("and a second")
    page.get_by_role("link", name="New conversation").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(field).to_have_value("")


def test_who_leaves_a_conversation_before_it_has_a_number_finds_both_as_they_were(page: Page) -> None:
    choose(page, "echo")
    say(page, "one of before")
    ended(page)
    page.get_by_role("link", name="New conversation").click()
    expect(page.locator(".said")).to_have_count(0)
    release = hold_the_number(page)
    say(page, "one that is new")
    expect(page.locator(".own .words")).to_have_text("one that is new")
    page.get_by_role("link", name="one of before").click()
    expect(page.locator(".own .words")).to_have_text("one of before")
    address = page.url
    release()
    expect(page.get_by_role("link", name="one that is new")).to_be_visible()
    assert page.url == address
    page.get_by_role("link", name="one that is new").click()
    expect(page.locator(".own .words")).to_have_text("one that is new")
