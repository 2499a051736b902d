"""The studio's files over HTTP: what a browser gets, and what nobody gets."""

import gzip
import json
import re

import httpx2
import pytest

from abierto import locale
from abierto.server import pages
from tests.server.conftest import Served

BROWSER = {"upgrade-insecure-requests": "1", "accept-encoding": "gzip"}
FIRST_VIEW = 150_000  # bytes over the wire


def paths() -> list[str]:
    """All that the page is made of, without what is there under the address of its version once more."""
    return [route.path for route in pages.dialect().routes if pages.version() not in route.path]


def test_a_browser_gets_the_page_and_a_client_of_ollama_its_own_answer(server: Served) -> None:
    with server.client() as client:
        page = client.get("/", headers=BROWSER)
        assert page.headers["content-type"].startswith("text/html")
        assert "<!doctype html>" in page.text
        assert client.get("/").text == "Ollama is running"


def test_every_file_comes_under_the_policy(server: Served) -> None:
    with server.client() as client:
        for path in paths():
            found = client.get(path, headers=BROWSER)
            assert found.status_code == 200, path
            policy = found.headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert found.headers["x-content-type-options"] == "nosniff", path


def test_the_page_names_no_other_host(server: Served) -> None:
    with server.client() as client:
        for path in paths():
            text = client.get(path, headers=BROWSER).text
            if "vendor" not in path and not path.endswith(".json"):
                assert not re.search(r"""(src|href|url\(|import|from)\W{1,3}(https?:)?//""", text), path
        page = client.get("/", headers=BROWSER).text
        assert "<script>" not in page
        assert "style=" not in page


def test_what_is_known_already_is_not_sent_again(server: Served) -> None:
    with server.client() as client:
        first = client.get("/studio/main.js")
        again = client.get("/studio/main.js", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_the_page_takes_its_files_from_addresses_of_its_version_which_never_change(server: Served) -> None:
    with server.client() as client:
        page = client.get("/", headers=BROWSER)
        assert page.headers["cache-control"] == "no-cache"
        files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert f"/studio/{pages.version()}/main.js" in files
        assert f"/studio/{pages.version()}/panels/chat/chat.js" in files
        for file in files:
            found = client.get(file)
            assert found.status_code == 200, file
            assert "immutable" in found.headers["cache-control"], file
            assert client.get(file.replace(pages.version(), "0" * 16)).status_code == 404, file
        assert client.get("/studio/main.js").headers["cache-control"] == "no-cache"


def test_the_app_has_icons_of_the_sizes_that_it_tells(server: Served) -> None:
    with server.client() as client:
        for icon in client.get("/studio/app.webmanifest").json()["icons"]:
            data = client.get(f"/studio/{icon['src']}").content
            if icon["type"] == "image/png":
                width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
                assert icon["sizes"] == f"{width}x{height}"


def test_the_first_view_is_small(server: Served) -> None:
    """All that the page asks for before there is something to see, packed as it goes over the wire."""
    early = {f"/studio/{name}" for name in pages.early()}
    assert {"/studio/main.js", "/studio/vendor/preact.js", "/studio/vendor/signals-core.js"} < early
    assert (
        not {"/studio/vendor/temml.js", "/studio/panels/settings/settings.js", "/studio/panels/chat/passages.js"}
        & early
    )
    wanted = [path for path in paths() if path in early or path.endswith((".css", ".html", "en.json"))]
    total = 0
    with server.client() as client:
        for path in wanted:
            total += len(gzip.compress(client.get(path, headers=BROWSER).content, 9))
    assert total < FIRST_VIEW


@pytest.mark.parametrize("path", ["/studio/", "/studio/../app.py", "/studio/%2e%2e/app.py", "/studio/nothing.js"])
def test_nothing_else_is_there(server: Served, path: str) -> None:
    assert httpx2.get(f"{server.address}{path}").status_code == 404


@pytest.mark.parametrize("language", locale.LANGUAGES)
def test_the_sentences_come_in_each_language(server: Served, language: str) -> None:
    with server.client() as client:
        words = json.loads(client.get(f"/studio/words/{language}.json").content)
    assert words == pages.words(language)
    assert words["panel.models"] == {"en": "Models", "es": "Modelos"}[language]


def test_another_site_may_not_show_it_in_a_frame(server: Served) -> None:
    with server.client() as client:
        assert "frame-ancestors 'none'" in client.get("/", headers=BROWSER).headers["content-security-policy"]
        refused = client.get("/studio/main.js", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"})
        assert refused.status_code == 403
