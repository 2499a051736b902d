"""One conversation with a real model."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import STARTER
from tests.server.conftest import Serve
from tests.studio.conftest import TAGS, words


@pytest.mark.model
def test_the_starter_model_answers_a_newcomer_after_one_click(
    browser: Browser, serve: Serve, starter_home: Path
) -> None:
    t = words("en")
    server = serve(home=starter_home, model=STARTER, folders="")
    context = browser.new_context(locale=TAGS["en"])
    page = context.new_page()
    page.goto(server.address)
    expect(page.get_by_label(t("chat.model"), exact=True)).to_have_value(STARTER)
    page.get_by_role("button", name=t("chat.idea_explain")).click()
    answer = page.locator(".said:not(.own) .words")
    expect(page.get_by_role("button", name=t("chat.stop"))).to_be_visible()
    expect(page.get_by_role("button", name=t("chat.send"))).to_be_visible(timeout=240_000)
    written = answer.inner_text()
    assert len(written.split()) > 20
    expect(page.locator(".under")).to_contain_text("token/s")
    page.reload()
    expect(answer).to_have_text(written, use_inner_text=True)
    context.close()
