"""Drawing in the browser, with the echo engine."""

import base64

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from abierto.formats import png
from abierto.formats.images import ImageInfo, examine
from tests.server.conftest import Serve, Served
from tests.studio.conftest import PATIENCE, Watched, Words, spoken


@pytest.fixture(scope="module")
def server(serve: Serve, language: str) -> Served:
    """One that draws patterns when no model is named."""
    return serve(image_model="echo")


@pytest.fixture
def view(page: Page, server: Served, t: Words) -> Page:
    """The view, with a seed and a prompt."""
    page.goto(f"{server.address}/#draw")
    page.get_by_label(t("draw.prompt")).fill("a red apple")
    page.get_by_label(t("draw.seed"), exact=True).fill("7")
    page.get_by_label(t("draw.seed"), exact=True).blur()
    return page


def draw(page: Page) -> None:
    """Draw, and wait for the end."""
    button = page.get_by_role("button", name=spoken(page)("draw.go"), exact=True)
    before = page.locator(".gallery:not(.coming) li").count()
    button.click()
    expect(page.locator(".gallery:not(.coming) li")).not_to_have_count(before)
    expect(button).to_be_visible()


def drawn(page: Page, number: int = 0) -> bytes:
    """The file of an image, the newest first."""
    source = page.locator(".gallery:not(.coming) img").nth(number).get_attribute("src") or ""
    return base64.b64decode(source.partition(",")[2])


def test_an_image_and_the_same_again(view: Page, t: Words) -> None:
    view.get_by_label(t("draw.size")).select_option("64x64")
    view.get_by_role("button", name=t("draw.style_flat"), exact=True).click()
    draw(view)
    first = drawn(view)
    assert examine(first, "x") == ImageInfo("png", 64, 64)
    assert png.texts(first)["parameters"].startswith(f"a red apple, {t('draw.style_flat')}\n")
    view.get_by_label(t("draw.seed"), exact=True).fill("8")
    view.get_by_label(t("draw.size")).select_option("128x128")
    view.get_by_role("button", name=t("draw.style_flat"), exact=True).click()
    draw(view)
    assert drawn(view) != first
    view.get_by_role("button", name=t("draw.again")).nth(1).click()
    draw(view)
    assert drawn(view) == first


def test_several_are_saved_under_names_of_their_own(view: Page, t: Words) -> None:
    view.get_by_label(t("draw.count")).fill("3")
    view.get_by_label(t("draw.steps")).fill("3")
    view.get_by_label(t("draw.negative")).fill("a leaf")
    draw(view)
    expect(view.locator(".gallery:not(.coming) li")).to_have_count(3)
    with view.expect_download() as waited:
        view.get_by_role("link", name=t("draw.save")).nth(1).click()
    assert waited.value.suggested_filename == "a red apple-8.png"
    assert "Negative prompt: a leaf" in png.texts(waited.value.path().read_bytes())["parameters"]


def test_it_is_seen_as_it_comes_and_can_be_stopped(view: Page, t: Words) -> None:
    view.get_by_label(t("draw.steps")).fill("200")
    view.get_by_label(t("draw.count")).fill("16")
    view.get_by_role("button", name=t("draw.go"), exact=True).click()
    expect(view.get_by_alt_text(t("draw.unfinished", prompt="a red apple")).first).to_be_visible()
    view.get_by_role("button", name=t("chat.stop")).click()
    expect(view.get_by_role("button", name=t("draw.go"), exact=True)).to_be_visible(timeout=PATIENCE)
    assert view.locator(".gallery li").count() < 16
    expect(view.locator(".gallery.coming")).to_have_count(0)


def test_what_is_wrong_is_said(view: Page, watched: Watched, t: Words) -> None:
    view.get_by_label(t("draw.steps")).fill("900")
    view.get_by_role("button", name=t("draw.go"), exact=True).click()
    expect(view.get_by_role("alert")).to_contain_text("num_inference_steps")
    watched.refused = "400"


def test_nobody_is_kept_out_of_a_full_gallery(view: Page) -> None:
    draw(view)
    found = Axe().run(view)
    assert not found.response["violations"], found.generate_report()
