"""Pictures that come with a request: as data, never as a place to read them from."""

import base64
import binascii

from abierto.errors import InvalidRequest


def from_data_url(url: str, where: str) -> bytes:
    """The bytes in a `data:` URL. Raises InvalidRequest for any other address: the server fetches and reads nothing."""
    scheme, _, rest = url.partition(":")
    head, comma, data = rest.partition(",")
    if scheme.lower() != "data" or not comma or not head.endswith(";base64"):
        raise InvalidRequest("a data: URL with base64 is needed; addresses and paths are not read here", where)
    return decoded(data, where)


def decoded(data: str, where: str) -> bytes:
    """The bytes. Raises InvalidRequest."""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(str(error), where) from error
