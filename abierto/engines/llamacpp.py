"""The llama.cpp engine: reads every GGUF file.

Two ways lead to the same HTTP dialect, llama-server's: the `xllamacpp` package runs its code inside this process, and
the setting `llama_server` names a program to run instead (a path, or `llama-server` for the one on the PATH), which
is how a build for a GPU is used. Either listens on a socket in a folder that only this user can open (on Windows on
127.0.0.1), and demands a random key. The setting `verbosity` (-1: silent, 1: errors) is for the built-in one, which
writes to the standard error of this process. With `speculation` set to `ngram`, words that repeat what stands in the
conversation are guessed from there and checked together; what is computed together is rounded a little differently, so
that an answer may take another turn where two words were nearly as likely.
It knows no HTTP face of ours, and no model by name.
"""

import ctypes
import os
import re
import shutil
import socket
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from abierto.engines._llama_client import NAME, Address, Answer, ask, failure
from abierto.engines._llama_request import body
from abierto.engines.kept_process import KeptProcess
from abierto.engines.session import LoadOptions, RefusesTasks
from abierto.errors import (
    EngineBroken,
    EngineCrashed,
    EngineMissing,
    FileMissing,
    LoadFailed,
    MissingFeature,
)
from abierto.formats.gguf import read_header
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest
from abierto.tasks.events import Event

# Tokens of a prompt that are read in one go. A cancelled request computes to the end of one or two, and so long do
# other requests wait for it. On a processor 128 cost no more time for each token than 512; on a GPU they would.
BATCH = 128
PROGRAM_BATCH = 512
# Tokens that must have been the same for a guess, and tokens that are guessed.
NGRAM, GUESS = 5, 8
# Of these projectors (llama.cpp's mtmd_decode_use_non_causal) every token of an image sees every other one, so that an
# image must be read in one go; it has up to 1,120 tokens.
WHOLE_IMAGE = ("gemma3", "gemma4v", "gemma4uv", "deepseek4v")
WHOLE_IMAGE_BATCH = 1280
START_TIMEOUT = 600.0  # seconds; a large model may come from a slow disk, and a program that ends is seen at once
_LONGEST_SOCKET_PATH = 100  # bytes; the least that a system allows is 104, with the zero at the end


def load(files: list[str], options: LoadOptions) -> "LlamaSession":
    """See `engines.load`. Of a model in several files the first is opened, and llama.cpp finds the others beside it."""
    folder = _private_folder()
    try:
        program = options.settings.get("llama_server", "")
        start = _start_program if program else _start_package
        address, server = start(files[0], options, folder)
        return LlamaSession(address, server, folder, options)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class LlamaSession(RefusesTasks):
    """See `Session`."""

    engine = NAME

    def __init__(self, address: Address, server: "KeptProcess | _Package", folder: Path, options: LoadOptions) -> None:
        self.max_concurrent = options.max_concurrent
        self.pid = server.pid
        self._address, self._server = address, server
        self._answers: weakref.WeakSet[Answer] = weakref.WeakSet()
        # Runs at close, or when the interpreter ends without one.
        self._release = weakref.finalize(self, _release, self._answers, server, folder)
        props = self._ask("GET", "/props")
        self.context = int(props["default_generation_settings"]["n_ctx"])
        sees = props.get("modalities", {}).get("vision") is True
        self.features = frozenset({"chat", "schema", "seed", "reasoning"} | ({"images"} if sees else set()))

    def count_tokens(self, request: Request) -> int:
        """As the model reads them, with its chat template, and with as many tokens as it makes of each image.

        A program from before 2026 cannot count images; it refuses a request that is too long when it is sent.
        """
        if not isinstance(request, ChatRequest):
            raise MissingFeature(NAME, request.task)
        images = _images(request)
        asked: dict[str, Any] = {"messages": self._body(request)["messages"]}
        try:
            return int(self._ask("POST", "/v1/chat/completions/input_tokens", asked, images)["input_tokens"])
        except _NoSuchPath:  # a program from before 2026
            prompt = self._ask("POST", "/apply-template", asked)["prompt"]
            asked = {"content": prompt, "add_special": True, "parse_special": True}
            return len(self._ask("POST", "/tokenize", asked)["tokens"])

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """See `Session`. The iterator's `close` may be called from another thread, and wakes one that waits."""
        answer = Answer(self._address, self._body(request), request.schema is not None, _images(request), self._died)
        self._answers.add(answer)
        return answer

    def close(self) -> None:
        """See `Session`. Answers that are being written are broken off."""
        self._release()

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        if "images" not in self.features and _images(request):
            raise MissingFeature(NAME, "images")
        return body(request)

    def _ask(self, method: str, path: str, asked: object = None, images: int = 0) -> Any:
        try:
            status, found = ask(self._address, method, path, asked)
        except OSError as error:
            raise self._died(str(error)) from error
        if status == 404:
            raise _NoSuchPath
        if status != 200:
            raise failure(status, found, schema=False, address=self._address, images=images)
        return found

    def _died(self, detail: str) -> EngineCrashed:
        status = self._server.status(patience=2.0)
        return EngineCrashed(NAME, status or "connection lost", useful_lines(self._server.tail()) or detail)


class _NoSuchPath(Exception):
    """The server is of a version that does not have what was asked for."""


class _Package:
    """llama-server's code in this process, as the `xllamacpp` package brings it."""

    def __init__(self, server: object) -> None:
        self._server: object | None = server
        self.pid = os.getpid()

    def status(self, patience: float) -> str | None:
        """This process runs, and with it the server."""
        return None

    def tail(self) -> str:
        """What it writes goes to our own standard error."""
        return ""

    def close(self) -> None:
        """Dropping the last reference stops its threads and frees its memory."""
        self._server = None


def _release(answers: "weakref.WeakSet[Answer]", server: KeptProcess | _Package, folder: Path) -> None:
    # The server in this process waits for every request that it serves, and an answer may go on for long.
    for answer in list(answers):
        answer.close()
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


def _private_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="abierto-"))  # mode 0700
    if os.name == "posix" and len(os.fsencode(folder / "llama.sock")) > _LONGEST_SOCKET_PATH:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="abierto-", dir="/tmp"))
    return folder


def _address(folder: Path) -> Address:
    if os.name == "posix":
        return Address(path=str(folder / "llama.sock"))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return Address(port=probe.getsockname()[1])


def _start_package(file: str, options: LoadOptions, folder: Path) -> tuple[Address, _Package]:
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise EngineMissing(NAME, NAME) from error
    except ImportError as error:
        raise EngineBroken(NAME, str(error)) from error
    address = _address(folder)
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.hostnames = [address.path or "127.0.0.1"]
    params.port = address.port
    params.api_keys = [address.key]
    params.n_parallel = options.max_concurrent
    params.n_ctx = options.context * options.max_concurrent  # it is divided by n_parallel
    params.kv_unified = False
    params.ctx_shift = False
    params.cache_ram_mib = 0  # no second cache beside the slots' own
    params.n_batch = params.n_ubatch = batch_size(options, BATCH)
    params.mmproj.path = options.projector
    params.video_ffmpeg_bin_dir = str(folder)  # what is no image shall not be handed to whatever ffmpeg is on the PATH
    params.fit_params = False  # what fits was decided before
    params.warmup = False
    params.ui = False
    params.verbosity = int(options.settings.get("verbosity", "-1"))
    if options.settings.get("speculation") == "ngram":
        params.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
        params.speculative.ngram_simple.size_n = NGRAM
        params.speculative.ngram_simple.size_m = GUESS
    if options.threads:
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        _flush_log(xllamacpp.xllamacpp.__file__)
        raise LoadFailed(NAME, Path(file).name) from error
    # It says that it is loaded a moment before its loop runs, and if it is dropped in that moment it waits for its own
    # end for ever. Only the loop can answer this.
    ask(address, "GET", "/slots")
    return address, _Package(server)


def batch_size(options: LoadOptions, usual: int) -> int:
    """How many tokens are read in one go."""
    if not options.projector:
        return usual
    header = read_header(options.projector)
    kind = header.text("clip.projector_type") or header.text("clip.vision.projector_type")
    return max(usual, WHOLE_IMAGE_BATCH) if kind in WHOLE_IMAGE else usual


def _flush_log(library: str) -> None:
    """Have llama.cpp write out what it logged: it does so in a thread, which the end of the process cuts short."""
    loaded = ctypes.CDLL(library)
    try:
        log_of, flush = loaded._Z15common_log_mainv, loaded._Z16common_log_flushP10common_log
    except AttributeError:
        return  # built by a compiler that names functions otherwise: the last lines may be lost
    log_of.restype = ctypes.c_void_p
    flush(ctypes.c_void_p(log_of()))


def _start_program(file: str, options: LoadOptions, folder: Path) -> tuple[Address, KeptProcess]:
    named = options.settings["llama_server"]
    program = shutil.which(named)
    if not program:
        raise FileMissing(named)
    address = _address(folder)
    command = [program, "--host", address.path or "127.0.0.1", "--port", str(address.port or 8080), "-m", file]
    command += ["-np", str(options.max_concurrent), "-c", str(options.context * options.max_concurrent)]
    batch = str(batch_size(options, PROGRAM_BATCH))
    command += ["-b", batch, "--no-context-shift", "--cache-ram", "0", "--no-warmup", "--no-webui"]
    if options.projector:
        command += ["-ub", batch, "--mmproj", options.projector]
    if options.settings.get("speculation") == "ngram":
        command += ["--spec-type", "ngram-simple"]
        command += ["--spec-ngram-simple-size-n", str(NGRAM), "--spec-ngram-simple-size-m", str(GUESS)]
    if options.threads:
        command += ["-t", str(options.threads)]
    # The key goes through the environment, because everybody on this computer can read command lines.
    environment = {**os.environ, "LLAMA_API_KEY": address.key, "LLAMA_ARG_VIDEO_FFMPEG_DIR": str(folder)}
    try:
        process = KeptProcess(command, environment, str(folder))
    except OSError as error:
        raise LoadFailed(NAME, Path(file).name, str(error)) from error
    try:
        _await_ready(process, address, Path(file).name)
    except BaseException:
        process.close()
        raise
    return address, process


def _await_ready(process: KeptProcess, address: Address, model: str) -> None:
    deadline = monotonic() + START_TIMEOUT
    while not process.ended.wait(0.01):
        try:
            if ask(address, "GET", "/health")[0] == 200:
                return
        except OSError:
            pass  # it does not listen yet
        if monotonic() > deadline:
            raise LoadFailed(NAME, model, useful_lines(process.tail()))
    raise LoadFailed(NAME, model, useful_lines(process.tail()) or str(process.status(0)))


def useful_lines(log: str) -> str:
    """The errors of a llama.cpp log without their time stamps, or its last lines when it marks none as errors."""
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [re.sub(r"^[\d.]+ E (\w+ +)?", "", line) for line in lines if re.match(r"[\d.]+ E ", line)]
    return "\n".join((errors or lines)[-5:])


def _images(request: ChatRequest) -> int:
    return sum(len(message.images) for message in request.messages)
