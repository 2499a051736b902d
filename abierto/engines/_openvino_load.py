"""Opens a model for the OpenVINO engine: a GGUF file, or a folder of the files that OpenVINO itself writes.

Of a GGUF file the engine makes a tokenizer and a model in its own form at every start, which takes seconds; so both can
be kept (`store.kept`). The compiled form that `CACHE_DIR` asks for is not used: in openvino-genai 2026.4 a model with
paged attention is written there, cannot be read back, and is compiled anew. It knows no request.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from abierto.engines import _openvino_images
from abierto.engines._openvino_batch import NATIVE
from abierto.engines.session import LoadOptions
from abierto.store.kept import Form

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# Tokens that must have been the same for a guess, and tokens that are guessed. The engine checks so many in every step,
# also when it has no guess: with more than 5 a text that repeats nothing is slower than without guessing.
NGRAM, GUESS = 3, 4
TEXT_EMBEDDINGS = "openvino_text_embeddings_model.xml"
BLOCK = 32  # tokens that a block of the cache holds on a processor


@dataclass(frozen=True, slots=True)
class Opened:
    """A pipeline, and its tokenizer, with a chat template in any case.

    takes_text: it takes prompts as text and images, not as tokens. sees: it takes images. guesses: it has to be told in
    each request how many tokens to guess.
    """

    pipeline: Any
    tokenizer: Any
    takes_text: bool = False
    sees: bool = False
    guesses: bool = False


def open_model(genai: Any, file: Path, options: LoadOptions, context: int) -> Opened:
    """Open a GGUF file, or the folder in which an OpenVINO model lies. Raises one of NATIVE."""
    opening = _Opening(genai, options, context)
    cache = options.settings.get("cache", "")
    if file.suffix == ".xml":
        opened = opening.folder(file.parent)
        _prepare(genai, opened)
        return opened
    with _called_gguf(file) as named:
        opened = opening.kept(named, Path(cache)) if cache else opening.file(named)
        _prepare(genai, opened)
    return opened


@contextmanager
def _called_gguf(file: Path) -> Iterator[Path]:
    """The file under a name that ends as the engine wants it; Ollama calls its files by their SHA-256 alone."""
    if file.suffix == ".gguf":
        yield file
        return
    with TemporaryDirectory(prefix="abierto-") as folder:
        named = Path(folder) / "model.gguf"
        _link(named, file)
        yield named


def _link(link: Path, file: Path) -> None:
    try:
        link.symlink_to(file.resolve())
    except OSError:  # some systems let only administrators do that
        link.hardlink_to(file.resolve())


def _prepare(genai: Any, opened: Opened) -> None:
    """Compute something: the weights are put into the processor's own layout only then, which may take longer than all
    else. What is loaded is to be ready."""
    config = genai.GenerationConfig(max_new_tokens=2, ignore_eos=True, apply_chat_template=False)
    set_guesses(config, opened)
    prompt = "a" if opened.takes_text else opened.tokenizer.encode("a", add_special_tokens=False).input_ids
    opened.pipeline.generate([prompt], [config])


def set_guesses(config: Any, opened: Opened) -> None:
    """Say in a request how much to guess."""
    if opened.guesses:
        config.num_assistant_tokens, config.max_ngram_size = GUESS, NGRAM


class _Opening:
    def __init__(self, genai: Any, options: LoadOptions, context: int) -> None:
        self._genai = genai
        self._whole = bool(options.settings.get("keep_compiled"))
        self._scheduler = genai.SchedulerConfig()
        self._scheduler.enable_prefix_caching = True
        self._scheduler.max_num_seqs = options.max_concurrent
        self._scheduler.num_kv_blocks = options.max_concurrent * (context // BLOCK + 2)
        self._guesses = options.settings.get("speculation") == "ngram"
        self._threads = {"INFERENCE_NUM_THREADS": options.threads} if options.threads else {}

    def folder(self, folder: Path) -> Opened:
        takes_text = (folder / TEXT_EMBEDDINGS).is_file()
        self._guesses = self._guesses and not takes_text  # there it works on nothing but tokens
        opened = self._with(self._genai.Tokenizer(str(folder)), folder)
        return replace(opened, takes_text=takes_text, sees=_openvino_images.sees(folder))

    def file(self, file: Path) -> Opened:
        return self._with(self._genai.Tokenizer(str(file)), file)

    def kept(self, file: Path, cache: Path) -> Opened:
        """With what is kept of the file, or keeping it now."""
        whole = self._whole and _is_room(cache, file)
        form = Form(cache, "openvino", file, f"openvino_genai {self._genai.__version__}{' with weights' * whole}")
        if place := form.get():
            try:
                return self._with(self._genai.Tokenizer(str(place)), place if whole else file)
            except NATIVE:  # damaged in a way that does not show
                return self.file(file)
        try:
            made = form.make(lambda folder: self._make(file, folder, whole))
        except NATIVE:  # the disk may be full: it has to work without
            made = None
        return made or self.file(file)

    def _make(self, file: Path, folder: Path, whole: bool) -> Opened:
        # The engine writes beside the file that it reads.
        link = folder / "model.gguf"
        _link(link, file)
        tokenizer = self._genai.Tokenizer(str(link), enable_save_ov_model=True)
        opened = self._with(tokenizer, link if whole else file, **({"enable_save_ov_model": True} if whole else {}))
        link.unlink()
        return opened

    def _with(self, tokenizer: Any, model: Path, **properties: Any) -> Opened:
        if not tokenizer.chat_template:
            tokenizer.chat_template = CHATML
        if self._guesses:
            properties["prompt_lookup"] = True
        pipeline = self._genai.ContinuousBatchingPipeline(
            str(model), tokenizer, self._scheduler, "CPU", **self._threads, **properties
        )
        return Opened(pipeline, tokenizer, guesses=self._guesses)


def _is_room(cache: Path, file: Path) -> bool:
    """Whether the disk holds the weights a second time."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(cache).free > 2 * file.stat().st_size
    except OSError:
        return False
