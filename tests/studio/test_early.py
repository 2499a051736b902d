"""Who is faster than the server: what is asked while it has not told its models yet."""

from playwright.sync_api import Page, Route, expect

from tests.studio.conftest import Words

MODELS = "**/abierto/v1/models"


def test_a_message_that_is_sent_before_the_models_are_known_is_answered(page: Page, t: Words) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(MODELS, hold)
    page.evaluate("localStorage.clear()")
    with page.expect_request(MODELS):
        page.reload()
    page.get_by_role("textbox", name=t("chat.say")).fill("early bird")
    page.keyboard.press("Enter")
    # Whether there is a model is not known: it is not offered, nor are questions to one.
    expect(page.get_by_role("heading", name=t("chat.welcome"))).to_be_visible()
    expect(page.locator(".welcome button")).to_have_count(0)
    for route in held:
        route.continue_()
    page.unroute(MODELS, hold)
    expect(page.locator(".said.own")).to_contain_text("early bird")
    expect(page.locator(".said:not(.own) .words")).to_contain_text("abc")  # of a model that says nothing else
