"""A way to the host that serves a file: proxy, certificates, credentials and patience as pip has them."""

import base64
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from abierto.errors import SourceUnreachable
from abierto.store.pip_settings import PipSettings
from abierto.store.pypi import host_of

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_REDIRECTS = 10


class Dropped(Exception):
    """The connection failed, and may not the next time. `wait`: the seconds that the server asks for."""

    def __init__(self, detail: str, wait: float = 0.0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Link:
    """An open way to one URL, for as many requests as it takes."""

    url: str
    pool: "PoolManager" = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    timeout: float
    retries: int

    @property
    def host(self) -> str:
        return host_of(self.url)

    def request(self, method: str, headers: dict[str, str]) -> "BaseHTTPResponse":
        """The answer, its body still to be read. Raises Dropped, or SourceUnreachable if no retry helps."""
        from urllib3 import Retry
        from urllib3.exceptions import HTTPError, LocationValueError, MaxRetryError, SSLError

        # Only redirects are left to the library: it drops the credentials where one leads to another host.
        redirects = Retry(None, connect=0, read=0, redirect=_REDIRECTS, status=0, other=0)
        try:
            return self.pool.request(
                method,
                self.url,
                headers={**self.headers, **headers},
                retries=redirects,
                timeout=self.timeout,
                preload_content=False,
            )
        except HTTPError as problem:
            reason = problem.reason if isinstance(problem, MaxRetryError) and problem.reason else problem
            if isinstance(reason, SSLError | LocationValueError):
                raise SourceUnreachable(self.host, _words(reason)) from None
            raise Dropped(_words(reason)) from None

    def read(self, response: "BaseHTTPResponse", size: int) -> bytes:
        """What has arrived of the body, at most so many bytes; none at its end. Raises Dropped."""
        from urllib3.exceptions import HTTPError

        try:
            return response.read1(size, decode_content=False)
        except HTTPError as problem:
            raise Dropped(_words(problem)) from None

    def close(self) -> None:
        self.pool.clear()


def open_link(url: str, settings: PipSettings, certificates: str | None = None) -> Link:
    """A way to a URL. certificates: a file or folder of authorities to trust where pip's settings name none.

    Raises SourceUnreachable for a proxy or a certificate that cannot be used.
    """
    from urllib3 import PoolManager, ProxyManager
    from urllib3.exceptions import HTTPError

    headers = {"Accept-Encoding": "identity"}
    login = settings.credentials(url)
    if login:
        headers["Authorization"] = _basic(*login)
    proxy = settings.proxy or _system_proxy(url)
    pool: PoolManager
    try:
        context = _tls(url, settings, certificates)
        if proxy:
            address, proxy_headers = _proxy(proxy)
            pool = ProxyManager(address, proxy_headers=proxy_headers, ssl_context=context)
        else:
            pool = PoolManager(ssl_context=context)
    except (OSError, HTTPError) as problem:
        raise SourceUnreachable(host_of(url), _words(problem)) from None
    return Link(url, pool, headers, settings.timeout, settings.retries)


def _tls(url: str, settings: PipSettings, certificates: str | None) -> ssl.SSLContext:
    from urllib3 import disable_warnings
    from urllib3.exceptions import InsecureRequestWarning

    context = ssl.create_default_context()
    bundle = settings.certificates or certificates
    if bundle:
        folder = Path(bundle).is_dir()
        context.load_verify_locations(capath=bundle if folder else None, cafile=None if folder else bundle)
    elif (brought := authorities_of_pip()) is not None:
        context.load_verify_locations(cafile=brought)
    if settings.client_certificate:
        context.load_cert_chain(settings.client_certificate)
    if settings.trusts(url):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # The person has decided this once; the library would warn at each request.
        disable_warnings(InsecureRequestWarning)
    return context


def authorities_of_pip() -> Path | None:
    """The authorities that pip brings along: on some systems Python itself finds none."""
    from importlib.util import find_spec

    package = find_spec("pip")
    path = Path(package.origin or "").parent / "_vendor" / "certifi" / "cacert.pem" if package else None
    return path if path and path.is_file() else None


def _system_proxy(url: str) -> str | None:
    place = urlsplit(url)
    if proxy_bypass(place.netloc):
        return None
    known = getproxies()
    return known.get(place.scheme) or known.get("all")


def _proxy(proxy: str) -> tuple[str, dict[str, str]]:
    place = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    headers = {}
    if place.username:
        headers["Proxy-Authorization"] = _basic(unquote(place.username), unquote(place.password or ""))
    return urlunsplit((place.scheme, place.netloc.rpartition("@")[2], "", "", "")), headers


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _words(problem: Exception) -> str:
    # An address in a library's message is shown without what stands before its @.
    return re.sub(r"(?<=//)[^/@\s]*@", "", str(problem))
