"""The studio in a browser: how soon it is there, how evenly it writes, and how it bears a long conversation.

Times are the browser's own. Where other programs share the processor, a frame can be late for their sake: so beside
the worst gap stands the processor time of the page's own work.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from bench.measure import median, spread
from bench.paced import PER_SECOND, TOKENS, paced
from bench.server import serving

OPENINGS, STREAMS, MESSAGES = 15, 5, 2000
MODEL = "even/even"
OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
TASK = "ThreadControllerImpl::RunTask"  # what Chromium calls a piece of work in its traces
# When the field to type in is there, in milliseconds since the page was asked for.
FIELD = """new MutationObserver((_, watching) => {
  if (!document.querySelector(".composer textarea")) return;
  window.fieldAt = performance.now();
  watching.disconnect();
}).observe(document, { childList: true, subtree: true });"""
OPENED = """() => new Promise((done) => {
  const look = () => {
    const [first] = performance.getEntriesByName("first-paint");
    if (first && window.fieldAt) done([first.startTime, window.fieldAt]);
    else setTimeout(look, 20);
  };
  look();
})"""
# Times of the frames while something goes on.
FRAMES = """() => {
  window.frames_ = [];
  const next = (at) => { window.frames_.push(at); window.frame = requestAnimationFrame(next); };
  window.frame = requestAnimationFrame(next);
}"""
GAPS = """() => {
  cancelAnimationFrame(window.frame);
  return window.frames_.slice(1).map((at, place) => at - window.frames_[place]);
}"""
# From a key until its letter is drawn.
TYPED = """() => {
  window.typed = [];
  document.querySelector(".composer textarea").addEventListener("input", (event) =>
    requestAnimationFrame(() => setTimeout(() => window.typed.push(performance.now() - event.timeStamp))));
}"""


def rows() -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| what | median (least to most) | goal, at most | reached |"
    yield "|---|---|---|---|"
    with _studio() as (browser, address):
        yield from _openings(browser, address)
        yield from _streams(browser, address)
        yield from _long(browser, address)


def _row(what: str, values: list[float], goal: float | None, digits: int = 2, *, never: bool = False) -> str:
    """never: no value may be over the goal; else the median may not."""
    reached = "" if goal is None else "yes" if (max(values) if never else median(values)) <= goal else "no"
    return f"| {what} | {spread(values, digits)} | {'' if goal is None else goal} | {reached} |"


@contextmanager
def _studio() -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a server that knows one model on another computer, which is this one."""
    path = next(found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name)))
    with tempfile.TemporaryDirectory() as home, paced() as provider, sync_playwright() as playwright:
        chosen = {"home": home, "other_programs": "no", "remotes": f"even={provider}", "remotes_over_api": "yes"}
        with serving(**chosen) as server:
            browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
            yield browser, f"http://127.0.0.1:{server.port}"
            browser.close()


def _openings(browser: Browser, address: str) -> Iterator[str]:
    """Of a browser that never saw the page, and of one that did."""
    cold: list[tuple[float, float]] = []
    warm: list[tuple[float, float]] = []
    for _ in range(OPENINGS + 1):
        context = browser.new_context(locale="en-GB")
        context.add_init_script(FIELD)
        cold.append(_opened(context, address))
        warm.append(_opened(context, address))
        context.close()
    for kind, found in (("first visit", cold[1:]), ("later visit", warm[1:])):
        yield _row(f"s to the first paint, {kind}", [paint / 1000 for paint, _ in found], 0.4)
        yield _row(f"s to a field to type in, {kind}", [field / 1000 for _, field in found], 0.6)


def _opened(context: BrowserContext, address: str) -> tuple[float, float]:
    page = context.new_page()
    page.goto(address)
    paint, field = page.evaluate(OPENED)
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    page.close()
    return paint, field


def _streams(browser: Browser, address: str) -> Iterator[str]:
    gaps: list[list[float]] = []
    taken: list[float] = []
    work: list[list[float]] = []
    for _ in range(STREAMS):
        context = browser.new_context(locale="en-GB", service_workers="block")
        page = context.new_page()
        page.route("**/abierto/v1/models", _with_model)
        page.goto(address)
        page.get_by_label("Model", exact=True).select_option(MODEL)
        page.get_by_role("textbox", name="Ask or say something").fill("Write.")
        with _work(browser, page) as found:
            page.evaluate(FRAMES)
            page.keyboard.press("Enter")
            page.get_by_role("button", name="Stop").wait_for()
            page.get_by_role("button", name="Send").wait_for(timeout=120_000)
            gaps.append(page.evaluate(GAPS))
        taken.append(sum(gaps[-1]) / 1000)
        work.append(found)
        context.close()
    what = f"{TOKENS} tokens at {PER_SECOND} per second"
    yield _row(f"{what}: s", taken, None)
    longest = [float(round(max(found))) for found in gaps]  # three frames are 50.0 and a little
    yield _row(f"{what}: longest gap between frames, ms", longest, 50, 0, never=True)
    yield _row(f"{what}: longest piece of work of the page, ms of processor time", [max(one) for one in work], 50, 0)
    busy = [sum(found) / seconds / 10 for found, seconds in zip(work, taken, strict=True)]
    yield _row(f"{what}: % of a processor that the page's main thread takes", busy, 35, 0)


def _with_model(route: Route) -> None:
    """The list of models with the one that is asked, for the page shows only what is on this computer."""
    found = route.fetch().json()
    found["models"].append({**found["models"][0], "name": MODEL, "task": "chat"})
    route.fulfill(json=found)


@contextmanager
def _work(browser: Browser, page: Page) -> Iterator[list[float]]:
    """What the page's main thread did at a stretch, in milliseconds of processor time; known at the end."""
    found: list[float] = []
    browser.start_tracing(page=page, categories=["toplevel"])
    try:
        yield found
    finally:
        traced = json.loads(browser.stop_tracing())["traceEvents"]
        threads = {(one["pid"], one["tid"]) for one in traced if one.get("args", {}).get("name") == "CrRendererMain"}
        done: dict[tuple[int, int], list[float]] = {thread: [] for thread in threads}
        for one in traced:
            if one["name"] == TASK and (one["pid"], one["tid"]) in done:
                done[one["pid"], one["tid"]].append(one.get("tdur", 0) / 1000)
        found += max(done.values(), key=sum)


def _long(browser: Browser, address: str) -> Iterator[str]:
    said = "a sentence with **weight** and `code`.\n\n- one\n- two\n\nAnd some more words, so that a line breaks."
    messages = [
        {"role": ("user", "assistant")[turn % 2], "content": f"Turn {turn}: {said}"} for turn in range(MESSAGES)
    ]
    with httpx2.Client(base_url=address, timeout=60) as client:
        kept = client.post("/abierto/v1/conversations", json={"title": "long", "messages": messages}).json()
    opened: list[float] = []
    scrolled: list[list[float]] = []
    typed: list[float] = []
    work: list[list[float]] = []
    for _ in range(STREAMS):
        page = browser.new_page(locale="en-GB")
        page.goto(f"{address}/#chat/{kept['id']}")
        page.get_by_text(f"Turn {MESSAGES - 1}: a sentence").wait_for()
        opened.append(page.evaluate("performance.now()") / 1000)
        with _work(browser, page) as found:
            scrolled.append(_scrolled(page))
            typed += _typed(page)
        work.append(found)
        page.close()
    what = f"a conversation of {MESSAGES} messages"
    often = [sorted(gaps)[int(len(gaps) * 0.95)] for gaps in scrolled]
    yield _row(f"{what}: s until it is there", opened, None)
    yield _row(f"{what}: gap between frames while it is scrolled, 95 of 100, ms", often, 50, 0)
    yield _row(f"{what}: ms from a key until its letter is drawn", typed, 50, 0)
    yield _row(f"{what}: longest piece of work of the page, ms of processor time", [max(one) for one in work], 50, 0)


def _scrolled(page: Page) -> list[float]:
    """Up by some screens, down a little, and so on."""
    page.locator(".thread").hover()
    page.evaluate(FRAMES)
    for turn in range(60):
        page.mouse.wheel(0, 400 if turn % 12 > 8 else -1200)
        page.evaluate("new Promise(requestAnimationFrame)")
    return [float(gap) for gap in page.evaluate(GAPS)]


def _typed(page: Page) -> list[float]:
    page.evaluate(TYPED)
    page.locator(".composer textarea").press_sequentially("a few words that are typed")
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    return [float(one) for one in page.evaluate("window.typed")]
