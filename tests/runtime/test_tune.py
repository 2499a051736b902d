"""What `tune` measures, keeps and shows; and that a measurement which does not end changes nothing."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from abierto import config
from abierto.errors import UnknownModel
from abierto.journal import TUNINGS, Journal
from abierto.runtime import choice
from abierto.runtime.resolve import resolve
from abierto.runtime.tune import DOUBT, Row, Step, newest, tune
from tests.tiny_gguf import TinyGGUF
from tests.tiny_projector import TinyProjector

COMMAND = [sys.executable, "-m", "abierto", "tune"]


def _rows(name: str, engine: str = "") -> list[Row]:
    return newest(told for told in tune(name, engine) if isinstance(told, Row))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A small sound model file."""
    return TinyGGUF(says="abc", ends=False, context=1024).write(tmp_path / "tiny.gguf")


def test_every_speed_of_an_engine_is_measured_and_kept(home: Path) -> None:
    [row, *_] = _rows("echo")
    assert row.measured is not None
    speeds = row.measured.speeds
    assert min(speeds.start, speeds.prompt, speeds.generation, speeds.repeating, speeds.together) > 0
    assert choice.measured(resolve("echo", config.folders().models))[0] == row.measured
    [written, *_] = Journal.at(home / "data").recent(TUNINGS)
    assert (written["model"], written["engine"], written["outcome"]) == ("echo", "echo", "done")


def test_a_model_file_is_measured_with_and_without_guesses(tiny: Path) -> None:
    found = [row.variant.settings for row in _rows(str(tiny), "llamacpp") if row.measured and not row.variant.threads]
    assert {} in found
    assert {"speculation": "ngram"} in found


def test_what_may_be_the_best_is_measured_once_more_and_never_looks_worse_for_it(tiny: Path) -> None:
    told: dict[str, list[choice.Measured]] = {}
    for row in tune(str(tiny), "llamacpp", budget=600):
        if isinstance(row, Row) and row.measured and not row.variant.threads:
            told.setdefault(repr(row.variant), []).append(row.measured)
    # Which may be the best depends on the computer, and on what else it does.
    near = set()
    for use in ("one_user", "one_shot"):
        best = choice.best([measured[0] for measured in told.values()], use)
        least = choice.seconds(best[0].speeds, use)
        close = [repr(one.variant) for one in best if choice.seconds(one.speeds, use) <= DOUBT * least]
        near |= set(close) if len(close) > 1 else set()
    # Counted, not compared: who was disturbed the second time keeps the first speeds.
    assert {variant for variant, measured in told.items() if len(measured) == 2} == near
    assert all(len(measured) <= 2 for measured in told.values())
    for measured in told.values():
        before, after = measured[0].speeds, measured[-1].speeds
        assert after.start <= before.start
        assert after.generation >= before.generation
        assert after.repeating >= before.repeating
        assert after.together == before.together


def test_a_model_that_sees_is_measured_with_what_it_sees_with(tiny: Path) -> None:
    TinyProjector().write(tiny.with_name("mmproj-tiny.gguf"))
    first = next(told for told in tune(str(tiny), "llamacpp") if isinstance(told, Row))
    assert first.measured is not None
    assert "images" in first.measured.features


def test_a_measurement_that_is_broken_off_leaves_the_one_before(tiny: Path) -> None:
    target = resolve(str(tiny), config.folders().models)
    before = [choice.Measured(choice.Variant("llamacpp"), choice.Speeds(1, 2, 3, 4, 5), ("chat",))]
    choice.keep(target, before)
    with closing(tune(str(tiny), "llamacpp")) as steps:  # type: ignore[type-var]
        for told in steps:
            if isinstance(told, Row):
                break  # one engine is measured, the others are not
    assert choice.measured(target) == before


def test_what_is_not_a_model_is_an_error_before_anything_is_measured() -> None:
    with pytest.raises(UnknownModel):
        next(iter(tune("no-such-model")))


def test_the_steps_tell_how_far_it_is() -> None:
    steps = [told for told in tune("echo") if isinstance(told, Step)]
    assert all(0 <= step.done < step.total for step in steps)
    assert {"start", "prompt", "generation", "together"} <= {step.stage for step in steps}


def test_the_command_says_what_auto_takes_for_every_use() -> None:
    done = subprocess.run([*COMMAND, "echo", "--json"], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert [row["engine"] for row in told["rows"]][:1] == ["echo"]
    assert {use: found["engine"] for use, found in told["choice"].items()} == dict.fromkeys(choice.USES, "echo")
    shown = subprocess.run([*COMMAND, "echo"], capture_output=True, text=True, check=True)
    assert "For a conversation: echo" in shown.stdout


def test_ctrl_c_ends_the_measurement_and_its_processes(tiny: Path, home: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, str(tiny), "--engine", "llamacpp"], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        assert "llamacpp" in process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()  # ends when the last process that could write is gone
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert not (home / "data" / choice.FILE_NAME).exists()


def test_a_model_that_no_engine_loads_is_shown_as_such(tmp_path: Path) -> None:
    path = TinyGGUF(tensors={"output_norm.weight": None}).write(tmp_path / "bad.gguf")
    rows = _rows(str(path), "llamacpp")
    assert rows
    assert all(row.error is not None and row.error.code == "load_failed" for row in rows)


def test_forgetting_measurements_makes_auto_choose_as_before(home: Path) -> None:
    _rows("echo")
    subprocess.run([sys.executable, "-m", "abierto", "forget", "--tunings", "--yes"], check=True, capture_output=True)
    assert choice.measured(resolve("echo", config.folders().models)) == []
    assert Journal.at(home / "data").recent(TUNINGS) == []
