"""How large and how deep a request may be, told from its bytes before anything is made of them."""

from itertools import accumulate

from abierto.errors import InvalidRequest, RequestTooLarge

MAX_BODY = 64_000_000  # bytes: some images, as base64
MAX_HEAD = 64_000  # bytes: the address and all headers
# Arrays and objects within each other. The library that reads JSON takes ten times as many, but what works on the
# values after it, here and in the engines, calls itself once or more for each level.
MAX_DEPTH = 64
# A body arrives at least this fast, in bytes per second, after the time that is given to any.
SLOWEST = 20_000
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS = bytes(set(range(256)) - {*_STEPS, ord('"')})


def check_announced(length: str | None) -> None:
    """Raise RequestTooLarge for a Content-Length that will not be read."""
    if length and length.isdecimal() and int(length[:20]) > MAX_BODY:
        raise RequestTooLarge(int(length[:20]), MAX_BODY)


def check_depth(body: bytes) -> None:
    """Raise InvalidRequest for JSON that is nested too deeply. What is no JSON may pass."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    # Without what is escaped, every quotation mark begins or ends a string; every second piece between them is none.
    marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS)
    outside = b"".join(marks.split(b'"')[::2])
    if any(depth > MAX_DEPTH for depth in accumulate(map(_STEPS.__getitem__, outside))):
        raise InvalidRequest(f"nested more than {MAX_DEPTH} levels deep")
