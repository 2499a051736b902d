"""Every error a person can meet, drawn as a tree.

    AbiertoError
    ├── InputError            what was asked cannot be done as asked          exit 2
    │   ├── EmptyPrompt · InvalidEncoding · InvalidSource · HashMissing · InvalidSetting · OptionOutOfRange
    │   ├── InvalidSchema · AnswerNotValid · PromptTooLong · NotConfirmed · UsageFault
    │   ├── UnknownType · InvalidName · NameTaken · FileInTheWay · InvalidCard · LicenseLeftOut
    │   ├── InvalidRequest · RequestTooLarge · ForbiddenHost · ForbiddenOrigin · TokenMissing · TokensNeeded
    │   ├── TokenNameTaken · RequestTooSlow
    │   ├── KeyMissing · InvalidKey · RemotesOff
    │   ├── NotOffered · NotOurs · NoChatModel · NoImageModel · SizeNotDrawn · TooManyWords
    │   └── NotAnImage · BadImage · ImageFormatUnread · TooManyImages
    ├── NotFoundError         a name that leads nowhere                       exit 3
    │   ├── UnknownModel · UnknownQuantization · UnknownEngine · UnknownConversation
    │   ├── UnknownRoute · UnknownResponse · UnknownToken · UnknownPull · NotLoaded · ServerNotRunning
    │   ├── UnknownProvider · RemoteModelUnknown · KeyNotKept
    │   ├── ModelNotPulled · ModelNotShipped · NothingToFetch · FileMissing · AmbiguousFile
    │   └── CheckpointMissing
    ├── ModelFileError        a file that is not what it should be            exit 4
    │   ├── NotAModel · CorruptFile · NoEngineForFile · PartMissing · NotConvertible
    │   ├── NotAProjector · ProjectorMismatch · ProjectorIsNoModel
    │   └── MadeOtherwise · ReplayDiffers
    ├── ResourceError         this computer has not enough of something       exit 5
    │   ├── NotEnoughMemory · NotEnoughDisk · FolderNotWritable · JournalUnavailable · PackageMissing
    │   └── MemoryTaken · AddressInUse · NoGraphicsCard
    ├── SourceError           what was to be fetched did not arrive whole     exit 6
    │   ├── PackageNotFound · FileNotInPackage · RepositoryNotFound · FileNotInRepository · GatedModel
    │   ├── SourceUnreachable · DownloadInterrupted · HashMismatch
    │   └── RemoteUnreachable · RemoteInterrupted · RemoteRedirected · RemoteGarbled
    ├── BusyError             somebody else is at it                          exit 7
    │   ├── PullInProgress · ModelInUse · BeingDownloaded
    │   └── QueueFull · EngineRestarting · ServerStopping · ServerRunning · TooManyRequests · RateLimited
    ├── EngineError           the program that runs the model failed          exit 8
    │   ├── EngineMissing · EngineBroken · LoadFailed · EngineFailed · EngineCrashed · MissingFeature
    │   ├── UnknownArchitecture · ModelCannotSee · ModelCannotThink · DeadlineExceeded
    │   └── KeyRefused · NoCredit · ContentRefused · RemoteRefused · RemoteFailed
    └── Cancelled             the person stopped it                           exit 130

An error carries a code and facts, never a sentence: the faces word it from `abierto/locale`, by the
keys `error.<code>` (what happened) and `error.<code>.hint` (what to do next). `detail` holds the words
of a program that is not ours, unchanged.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, dataclass_transform

_CODES: dict[str, "type[AbiertoError]"] = {}


@dataclass_transform(eq_default=False)
class AbiertoError(Exception):
    """The root. Catch it to catch everything that Abierto raises on purpose.

    A subclass declares its facts as a dataclass would. It is none, because making thirty of them takes longer than
    all else that `abierto --help` does.
    """

    code: ClassVar[str] = "abierto_error"
    exit_status: ClassVar[int] = 1
    _names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls._names = tuple(cls.__annotations__)
        _CODES[cls.code] = cls

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values)
        given = dict(zip(self._names, values, strict=False)) | named
        missing = [name for name in self._names if name not in given and not hasattr(type(self), name)]
        if missing or len(values) > len(self._names) or set(given) - set(self._names):
            raise TypeError(f"{type(self).__name__} takes {self._names}, got {values} {named}")
        for name, value in given.items():
            setattr(self, name, value)

    @property
    def facts(self) -> dict[str, Any]:
        """The parameters of this error by name, JSON-serialisable."""
        return {name: getattr(self, name) for name in self._names}

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code}({told})"


def rebuild(code: str, facts: dict[str, Any]) -> AbiertoError:
    """The error that another process described by its code and facts."""
    return _CODES[code](**facts)


def codes() -> list[str]:
    """The codes of all errors that can be raised: the leaves of the tree, in order of definition."""
    return [code for code, kind in _CODES.items() if not kind.__subclasses__()]


class InputError(AbiertoError):
    """What was asked cannot be done as asked."""

    exit_status = 2


class EmptyPrompt(InputError):
    """A prompt with nothing but white space."""


class InvalidEncoding(InputError):
    """Text that is not UTF-8. `position` is the offset of the first bad byte."""

    where: str
    position: int


class InvalidSource(InputError):
    """A source that follows none of the known forms."""

    source: str


class HashMissing(InputError):
    """An address without the SHA-256 that its file must have."""

    url: str


class InvalidSetting(InputError):
    """A value in the settings file or the environment that cannot be used."""

    setting: str
    value: str
    where: str


class OptionOutOfRange(InputError):
    """A number outside the range in which it has a meaning."""

    option: str
    value: float
    low: float
    high: float | None = None


class InvalidSchema(InputError):
    """A JSON schema that is none, or that the engine cannot follow."""

    where: str
    detail: str


class AnswerNotValid(InputError):
    """An answer that ended before it followed its schema, usually because of a limit."""

    exit_status = 1
    detail: str


class PromptTooLong(InputError):
    """More tokens than the context holds. `trained` is the most the model was trained for."""

    tokens: int
    context: int
    trained: int


class NotAnImage(InputError):
    """No image, or one in a format that is not known. `image`: its path, or its number among those of the request;
    `found`: what it looks like, as a key under `found.`"""

    image: str
    found: str = "unknown"


class BadImage(InputError):
    """An image that is cut short, damaged or too large. `fault`: a key under `fault.`, worded with `about`."""

    image: str
    fault: str
    about: dict[str, Any] | None = None


class ImageFormatUnread(InputError):
    """A sound image in a format that the engine does not read. `readable`: the formats that it does."""

    image: str
    format: str
    engine: str
    readable: Sequence[str] = ()


class TooManyImages(InputError):
    """More images than one request may hold, those of the conversation before it included. `total`: their bytes,
    `limit_size`: how many there may be."""

    images: int
    limit: int
    total: int
    limit_size: int


class NotConfirmed(InputError):
    """Something that needs a yes, where nobody can be asked."""

    option: str


class UsageFault(InputError):
    """A command line that cannot be understood. `fault` is a key under `usage.`, worded with `about`."""

    fault: str
    about: dict[str, Any] | None = None


class LicenseLeftOut(InputError):
    """A set of drawings under a licence that the recipe does not take. `allowed`: those that it takes."""

    package: str
    license: str
    allowed: Sequence[str]


class UnknownType(InputError):
    """A kind of quantisation that cannot be made here. `known` are those that can."""

    name: str
    known: Sequence[str] = ()


class InvalidName(InputError):
    """A name that no model can have, because it means something else where a model is asked for."""

    name: str


class NameTaken(InputError):
    """A name that a card or a model on this computer already has."""

    name: str


class FileInTheWay(InputError):
    """A file that would have to be written over. Nothing is."""

    path: str


class InvalidCard(InputError):
    """A card of the person's own that cannot be used. `fault` is a key under `card_fault.`, worded with `about`."""

    path: str
    fault: str
    about: dict[str, Any] | None = None


class NotOurs(InputError):
    """A model of another program, which only that one may change. `owner` is a key under `owner.`"""

    name: str
    owner: str
    path: str


class InvalidRequest(InputError):
    """A request to the server whose body is not what it should be. `where` is the place in it, or empty."""

    detail: str
    where: str = ""


class NotOffered(InputError):
    """Something that a dialect has and this server does not. instead: what to do, a key under `instead.`"""

    path: str
    instead: str


class RequestTooLarge(InputError):
    """A request to the server with more than is read. Sizes in bytes; `size` is what was announced or has arrived."""

    size: int
    limit_size: int


class ForbiddenHost(InputError):
    """A request under a name that is not this server's: a web page may have been made to lead here."""

    host: str


class ForbiddenOrigin(InputError):
    """A request that a web page of another origin made."""

    origin: str


class TokenMissing(InputError):
    """A request to a server that demands tokens, without one or with one that it does not know."""


class OwnerOnly(InputError):
    """A request for what only the person at the server's computer may do: keys, tokens, what is kept."""


class TokensNeeded(InputError):
    """A server that other computers may reach, and no token to tell who may use it."""

    address: str


class TokenNameTaken(InputError):
    """A name that a token already has."""

    name: str


class RequestTooSlow(InputError):
    """A request whose body did not arrive in time. `received`: bytes, in `seconds`."""

    received: int
    seconds: int


class KeyMissing(InputError):
    """A provider that demands a key, and none is known. variable: of the environment; `url`: where keys are made."""

    provider: str
    variable: str
    url: str


class InvalidKey(InputError):
    """What was given as a key cannot be one. It is not shown."""

    provider: str


class RemotesOff(InputError):
    """A request to the server for a model on another computer, which the settings do not allow."""

    model: str


class NotFoundError(AbiertoError):
    """A name that leads nowhere."""

    exit_status = 3


class UnknownModel(NotFoundError):
    """A name that no card and no pulled model has."""

    name: str
    nearest: Sequence[str] = ()


class UnknownQuantization(NotFoundError):
    """A quantisation that a card does not have. `choices` maps those that it has to their bytes, where known."""

    name: str
    quantization: str
    choices: Mapping[str, int | None]


class UnknownEngine(NotFoundError):
    """A name that no engine has."""

    name: str
    known: Sequence[str] = ()


class UnknownConversation(NotFoundError):
    """A name that no kept conversation has."""

    name: str
    nearest: Sequence[str] = ()


class UnknownRoute(NotFoundError):
    """The server has nothing under this path, or not for this method."""

    method: str
    path: str


class UnknownResponse(NotFoundError):
    """No stored response has this name; it was deleted, or never stored."""

    name: str


class UnknownToken(NotFoundError):
    """No token has this name."""

    name: str


class UnknownPull(NotFoundError):
    """No pull of the server has this id, or it is long over."""

    name: str


class NotLoaded(NotFoundError):
    """A model that the server has not loaded. loaded: those that it has."""

    name: str
    loaded: Sequence[str] = ()


class ServerNotRunning(NotFoundError):
    """No server of this person runs on this computer."""


class UnknownProvider(NotFoundError):
    """A name that no provider has, neither in the table nor in the setting `remotes`."""

    name: str
    known: Sequence[str] = ()


class RemoteModelUnknown(NotFoundError):
    """A model that another computer does not have. detail: its words."""

    provider: str
    model: str
    detail: str


class KeyNotKept(NotFoundError):
    """No key of this provider is kept here."""

    provider: str


class ModelNotPulled(NotFoundError):
    """A model that has a card, but whose files are not on this computer. `size` in bytes, when known."""

    name: str
    size: int | None = None


class ModelNotShipped(NotFoundError):
    """A model that comes with a clone of Abierto or in a package, and this installation has neither."""

    name: str
    package: str


class NoChatModel(InputError):
    """A model for another task, asked for an answer in words. `task`: its `pipeline_tag`."""

    name: str
    task: str


class NoImageModel(InputError):
    """A model for another task, asked for a drawing. `task`: its `pipeline_tag`. `able`: models here that draw."""

    name: str
    task: str
    able: Sequence[str] = ()


class TooManyWords(InputError):
    """Words to be drawn that are more tokens than a model reads. `most`: how many it does."""

    tokens: int
    most: int


class SizeNotDrawn(InputError):
    """A size that a model cannot draw. Pixels: each side is a multiple of `step`, from `least` to `most`."""

    width: int
    height: int
    step: int
    least: int
    most: int


class NothingToFetch(NotFoundError):
    """A model that has a card, but no file that could be fetched and verified. `url`: where its makers keep it."""

    name: str
    url: str


class FileMissing(NotFoundError):
    """A file that is not there, or cannot be read."""

    path: str


class AmbiguousFile(NotFoundError):
    """A source that several models answer to. `choices` maps what to add to `source` for one of them to its bytes.

    `best`: the one of them that suits this computer best; empty where nobody has compared them with its memory.
    """

    source: str
    choices: Mapping[str, int]
    best: str = ""


class CheckpointMissing(NotFoundError):
    """A segment of a training that cannot be replayed here: what it began from is not at hand, or there is none."""

    number: int


class ModelFileError(AbiertoError):
    """A file that is not what it should be."""

    exit_status = 4


class NotAModel(ModelFileError):
    """A file in no format that Abierto reads. `found` says what it looks like, as a key under `found.`"""

    path: str
    found: str = "unknown"


class CorruptFile(ModelFileError):
    """A model file whose header cannot be true. `fault` is a key under `fault.`, worded with `about`."""

    path: str
    fault: str
    about: dict[str, Any] | None = None


class NoEngineForFile(ModelFileError):
    """A sound model file that no installed engine reads."""

    path: str
    format: str


class NotConvertible(ModelFileError):
    """A sound model that cannot be made into another file here. `fault`: a key under `making.`, worded with `about`."""

    path: str
    fault: str
    about: dict[str, Any] | None = None


class PartMissing(ModelFileError):
    """A model in several files, of which the one at `path` is not there."""

    path: str
    model: str


class NotAProjector(ModelFileError):
    """A GGUF file in the place of a projector that is none. `architecture`: of the model that it is."""

    path: str
    architecture: str


class ProjectorMismatch(ModelFileError):
    """A projector of another model. Widths: how many numbers a token has that the one makes and the other reads."""

    path: str
    model: str
    projector_width: int
    model_width: int


class ProjectorIsNoModel(ModelFileError):
    """A projector in the place of a model."""

    path: str


class MadeOtherwise(ModelFileError):
    """A published training began from something else than what was made here. `what`: `settings` or `data`."""

    what: str
    expected: str
    actual: str


class ReplayDiffers(ModelFileError):
    """A segment of a training that came to another result than was published.

    distance: between the two, over the way that the segment took; tolerance: what it may be. course: by how much the
    losses differ on average, as a share; course_tolerance: what that may be. other: `code`, `packages` or `processor`,
    whichever was not the same, or nothing.
    """

    number: int
    distance: float
    tolerance: float
    course: float
    course_tolerance: float
    other: str


class ResourceError(AbiertoError):
    """This computer has not enough of something."""

    exit_status = 5


class NotEnoughMemory(ResourceError):
    """A model that would not fit. Sizes in bytes; `fits_context` is a context that would fit, or 0."""

    model: str
    needed: int
    available: int
    context: int
    fits_context: int = 0
    alternatives: Sequence[str] = ()


class MemoryTaken(ResourceError):
    """A model that would fit if others were not there. Sizes in bytes; `busy` and `pinned` name those."""

    model: str
    needed: int
    available: int
    busy: Sequence[str] = ()
    pinned: Sequence[str] = ()


class AddressInUse(ResourceError):
    """Another program listens there, or this one may not. detail: the system's words."""

    address: str
    detail: str


class NoGraphicsCard(ResourceError):
    """Work that was asked for on a graphics card, on a computer without one that PyTorch can use."""


class NotEnoughDisk(ResourceError):
    """Sizes in bytes."""

    folder: str
    needed: int
    free: int


class FolderNotWritable(ResourceError):
    """A folder that Abierto has to write in, and cannot."""

    folder: str


class JournalUnavailable(ResourceError):
    """The journal's database cannot be opened or written."""

    where: str
    detail: str


class PackageMissing(ResourceError):
    """A package that this needs is not installed. `extra` is the extra that brings it."""

    package: str
    extra: str


class SourceError(AbiertoError):
    """What was to be fetched did not arrive whole."""

    exit_status = 6


class PackageNotFound(SourceError):
    """The package index has no such package or version, or no file of it for this computer."""

    name: str
    version: str
    detail: str


class FileNotInPackage(SourceError):
    """The package is there, and the file is not in it."""

    path: str
    package: str
    nearest: Sequence[str] = ()


class RepositoryNotFound(SourceError):
    """The hub has no such repository or revision, or does not show it to this person."""

    repository: str
    revision: str


class FileNotInRepository(SourceError):
    """The repository is there, and no model file of it, or of a part of it, has that name."""

    path: str
    repository: str
    nearest: Sequence[str] = ()


class GatedModel(SourceError):
    """A model that the hub gives only to those who accepted its terms on the page at `url`."""

    repository: str
    url: str


class SourceUnreachable(SourceError):
    """Nobody answered, or answered with a refusal. `host` never holds credentials."""

    host: str
    detail: str


class DownloadInterrupted(SourceError):
    """The connection ended early. What had arrived is kept. Sizes in bytes."""

    source: str
    received: int
    total: int | None = None


class HashMismatch(SourceError):
    """A file whose SHA-256 is not the one it should have. It is not used; if it was fetched, it is thrown away."""

    what: str
    expected: str
    actual: str


class RemoteUnreachable(SourceError):
    """Another computer that should answer for a model does not, or not with a certificate that can be trusted."""

    provider: str
    host: str
    detail: str


class RemoteInterrupted(SourceError):
    """Another computer's answer ended in its middle. `characters`: how much of it had arrived."""

    provider: str
    characters: int


class RemoteRedirected(SourceError):
    """Another computer sends on to an address that nobody named. Nothing was sent there."""

    provider: str
    host: str
    target: str


class RemoteGarbled(SourceError):
    """What another computer answers is not OpenAI's dialect."""

    provider: str
    detail: str


class BusyError(AbiertoError):
    """Somebody else is at it."""

    exit_status = 7


class PullInProgress(BusyError):
    """Another process pulls the same model."""

    name: str


class ModelInUse(BusyError):
    """A model that is loaded somewhere cannot be changed."""

    name: str


class BeingDownloaded(BusyError):
    """A file that another program has not fetched to its end. Sizes in bytes; `owner` is a key under `owner.`"""

    name: str
    owner: str
    received: int
    total: int


class QueueFull(BusyError):
    """As many wait for the model as may. seconds: when it is worth to ask again."""

    model: str
    waiting: int
    seconds: int


class EngineRestarting(BusyError):
    """The engine of a model died several times, and is left alone for so many seconds."""

    model: str
    seconds: int


class ServerStopping(BusyError):
    """The server takes no more requests."""


class ServerRunning(BusyError):
    """A server of this person runs already."""

    address: str


class TooManyRequests(BusyError):
    """A token was used more often in a minute than it may be. seconds: until it may be used again."""

    limit: int
    seconds: int


class RateLimited(BusyError):
    """A provider was asked too often, or for too much at once. seconds: until it is worth to ask again."""

    provider: str
    seconds: int
    detail: str


class EngineError(AbiertoError):
    """The program that runs the model failed."""

    exit_status = 8


class EngineMissing(EngineError):
    """An engine whose package is not installed. `extra` is the extra that brings it."""

    engine: str
    extra: str


class EngineBroken(EngineError):
    """An engine whose package is installed and cannot be imported, for want of a library of the system."""

    engine: str
    detail: str


class LoadFailed(EngineError):
    """The engine would not load the model."""

    engine: str
    model: str
    detail: str = ""


class EngineFailed(EngineError):
    """The engine answered a request with an error."""

    engine: str
    detail: str


class EngineCrashed(EngineError):
    """The engine's process ended in the middle of its work."""

    engine: str
    status: str
    detail: str = ""


class MissingFeature(EngineError):
    """The engine cannot do what the request asks."""

    engine: str
    feature: str


class UnknownArchitecture(EngineError):
    """A model of a kind that no engine here knows. `tried` names the engines with the versions of their packages."""

    model: str
    architecture: str
    tried: Sequence[str]


class ModelCannotSee(EngineError):
    """Images for a model without sight. `reason`: a key under `sight.`; `able`: cards of models that see."""

    model: str
    engine: str
    reason: str
    able: Sequence[str] = ()


class ModelCannotThink(EngineError):
    """A model that answers at once was to think first."""

    model: str


class DeadlineExceeded(EngineError):
    """An answer that took longer than a request may."""

    seconds: int


class KeyRefused(EngineError):
    """A provider does not accept the key. detail: its words."""

    provider: str
    detail: str


class NoCredit(EngineError):
    """The account of the key at a provider has no money left. detail: its words."""

    provider: str
    detail: str


class ContentRefused(EngineError):
    """A provider would not answer because of what was asked, or of what the model said. detail: its words."""

    provider: str
    detail: str


class RemoteRefused(EngineError):
    """A provider would not do what was asked. status: of HTTP; detail: its words."""

    provider: str
    status: int
    detail: str


class RemoteFailed(EngineError):
    """A provider failed, several times. status: of HTTP; detail: its words."""

    provider: str
    status: int
    detail: str


class Cancelled(AbiertoError):
    """The person stopped it."""

    exit_status = 130
