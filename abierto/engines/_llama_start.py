"""Starts llama-server's code for the llama.cpp engine: in this process, or as a program. It knows no request.

Embeddings are the mean over a text's tokens where the file does not say how they are made.
"""

import ctypes
import os
import re
import shutil
import socket
import tempfile
from pathlib import Path
from time import monotonic

from abierto.engines._llama_client import NAME, Address, ask
from abierto.engines.kept_process import KeptProcess
from abierto.engines.session import LoadOptions
from abierto.errors import EngineBroken, EngineMissing, FileMissing, LoadFailed
from abierto.formats.gguf import read_header
from abierto.formats.gguf_header import GGUFHeader

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
# The tasks for which vectors of tokens are pooled, and numbers of ways to do so, as GGUF files have them.
POOLED = ("embed", "rerank")
MEAN_POOLING, LAST_POOLING = 1, 3
CONTEXT_STEP = 256  # tokens; llama.cpp makes a context a multiple of it
START_TIMEOUT = 600.0  # seconds; a large model may come from a slow disk, and a program that ends is seen at once
_LONGEST_SOCKET_PATH = 100  # bytes; the least that a system allows is 104, with the zero at the end


class Package:
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


def private_folder() -> Path:
    """A new folder that only this user can open, with a name short enough for a socket in it."""
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


def start_package(file: str, options: LoadOptions, folder: Path) -> tuple[Address, Package]:
    """Start it in this process. folder: for its socket. Raises EngineMissing, EngineBroken, LoadFailed."""
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
    params.n_batch = params.n_ubatch = batch_size(file, options, BATCH)
    if options.task in POOLED:
        params.embedding = True
        if pooling := pooling_of(file, options.task):
            params.pooling_type = getattr(xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{pooling.upper()}")
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
    return address, Package(server)


def batch_size(file: str, options: LoadOptions, usual: int) -> int:
    """How many tokens are read in one go."""
    if options.task in POOLED:
        header = read_header(file)
        return usual if _reads_on(header, options.task) else _whole_text(header, options)
    if not options.projector:
        return usual
    header = read_header(options.projector)
    kind = header.text("clip.projector_type") or header.text("clip.vision.projector_type")
    return max(usual, WHOLE_IMAGE_BATCH) if kind in WHOLE_IMAGE else usual


def pooling_of(file: str, task: str) -> str:
    """How the vectors of a text's tokens become one; empty for the way that the file tells.

    Raises LoadFailed for a model without the part that ranks: its numbers would mean nothing.
    """
    header = read_header(file)
    if task == "embed":
        return "" if header.metadata.get(f"{header.architecture}.pooling_type") else "mean"
    if not any(tensor.name.startswith("cls.") for tensor in header.tensors):
        raise LoadFailed(NAME, Path(file).name, "the model has no classification head (tensors `cls.*`) to rank with")
    return "rank"


def _reads_on(header: GGUFHeader, task: str) -> bool:
    """Whether the model reads a text piece by piece, so that its last token stands for all."""
    if header.metadata.get(f"{header.architecture}.attention.causal") is False:
        return False
    pooling = header.metadata.get(f"{header.architecture}.pooling_type")
    classifier = header.metadata.get(f"{header.architecture}.classifier.pooling_type")
    return classifier != MEAN_POOLING if task == "rerank" else pooling == LAST_POOLING


def _whole_text(header: GGUFHeader, options: LoadOptions) -> int:
    """The context: every token of a text sees every other one, so that it must be read in one go."""
    context = options.context or header.context_length or PROGRAM_BATCH
    return context + -context % CONTEXT_STEP


def _flush_log(library: str) -> None:
    """Have llama.cpp write out what it logged: it does so in a thread, which the end of the process cuts short."""
    loaded = ctypes.CDLL(library)
    try:
        log_of, flush = loaded._Z15common_log_mainv, loaded._Z16common_log_flushP10common_log
    except AttributeError:
        return  # built by a compiler that names functions otherwise: the last lines may be lost
    log_of.restype = ctypes.c_void_p
    flush(ctypes.c_void_p(log_of()))


def start_program(file: str, options: LoadOptions, folder: Path) -> tuple[Address, KeptProcess]:
    """Start the program that the settings name. folder: for its socket. Raises FileMissing, LoadFailed."""
    named = options.settings["llama_server"]
    program = shutil.which(named)
    if not program:
        raise FileMissing(named)
    address = _address(folder)
    command = [program, "--host", address.path or "127.0.0.1", "--port", str(address.port or 8080), "-m", file]
    command += ["-np", str(options.max_concurrent), "-c", str(options.context * options.max_concurrent)]
    batch = str(batch_size(file, options, PROGRAM_BATCH))
    command += ["-b", batch, "--no-context-shift", "--cache-ram", "0", "--no-warmup", "--no-webui"]
    if options.projector:
        command += ["-ub", batch, "--mmproj", options.projector]
    if options.task in POOLED:
        command += ["-ub", batch, "--embeddings"]
        if pooling := pooling_of(file, options.task):
            command += ["--pooling", pooling]
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
