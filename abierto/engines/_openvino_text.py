"""Turns tokens into text for the OpenVINO engine: whole characters only, up to a stop string. It knows no request."""

from collections.abc import Callable

from abierto.engines._openvino_batch import Piece


class TextOfTokens:
    """Turns tokens into text as they come: whole characters only, up to a stop string."""

    def __init__(self, decode: Callable[[list[int]], str], stops: tuple[str, ...]) -> None:
        self._decode, self._stops = decode, stops
        self._ids: list[int] = []
        self._said = 0  # how much of the text of `_ids` is out
        self._held = ""  # may be the beginning of a stop string
        self.stopped = ""  # the stop string that was met

    def add(self, piece: Piece) -> str:
        """What can be said now. At the last piece, all that is left."""
        self._ids += piece.ids
        text = self._decode(self._ids) if piece.ids else ""
        fresh, self._said = (text[self._said :], len(text)) if piece.ids else ("", self._said)
        if len(self._ids) > 24:
            # A character is at most four tokens: the half of one at the cut is over before these eight are.
            self._ids = self._ids[-8:]
            self._said = len(self._decode(self._ids))
        return self._until_stop(self._held + fresh, last=piece.reason is not None)

    def _until_stop(self, text: str, last: bool) -> str:
        met = [stop for stop in self._stops if stop in text]
        if met:
            self.stopped, self._held = min(met, key=text.find), ""
            return text[: text.find(self.stopped)]
        begun = 0 if last else max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - begun :]
        return text[: len(text) - begun]


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` are the beginning of `stop`."""
    return max((size for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0)
