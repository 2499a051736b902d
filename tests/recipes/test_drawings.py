"""The data set of Trazo: which drawings are in it, what is said of them, and in which words."""

import json
import re
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from abierto.errors import HashMismatch, LicenseLeftOut
from abierto.recipes.trazo import captions, colors, packages, pictures, settings, variants, vocabulary
from abierto.recipes.trazo import concepts as naming
from abierto.recipes.trazo.captions import Shown
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.latents import Encoded
from abierto.recipes.trazo.stages import Material, told
from tests.recipes.tiny_drawings import data_of, finished, settings_of


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """With archives, and nothing made of them."""
    return Workshop(settings_of(tmp_path / "archives"), tmp_path)


def test_each_set_gives_one_drawing_of_each_thing_and_no_flag_skin_tone_or_logo(workshop: Workshop) -> None:
    data = data_of(workshop)
    names = ["red-apple", "cat-face", "dog-face", "water-wave"]
    assert [drawing.icon for drawing in data.drawings] == names * 2
    assert {drawing.family for drawing in data.drawings} == {"round", "square"}
    assert data.pixels.shape == (8, 8, 8, 4)
    assert data.pixels[0][4, 4].tolist() == [221, 34, 34, 255]


@pytest.mark.parametrize("license_id", ["CC-BY-SA-4.0", "GPL-3.0-only", "LicenseRef-Proprietary"])
def test_a_set_under_another_license_stays_out(tmp_path: Path, license_id: str) -> None:
    given = Workshop(settings_of(tmp_path / "archives", license_id=license_id), tmp_path)
    with pytest.raises(LicenseLeftOut) as problem:
        data_of(given)
    assert problem.value.facts["license"] == license_id
    assert not (tmp_path / "data" / pictures.INDEX).exists()


def test_the_recipe_takes_permissive_sets_only_and_keeps_families_for_the_judge() -> None:
    found = settings.read()
    assert set(found.data.licenses) == {"Apache-2.0", "MIT", "CC-BY-4.0"}
    assert not {"openmoji", "emojione-v1"} & {source.package.rpartition("/")[2] for source in found.sources}
    families = {use: {one.family for one in found.sources if one.use == use} for use in ("train", "judge")}
    assert families["judge"]
    assert not families["train"] & families["judge"]


def test_whom_the_drawings_are_by_is_written_down(workshop: Workshop) -> None:
    data_of(workshop)
    told = (workshop.place("data") / pictures.THANKS).read_text("utf-8")
    assert "The circle set | [Ana](https://example.org/ana) | [MIT](https://example.org/license) | 4 |" in told


def test_the_same_sources_make_the_same_data(tmp_path: Path) -> None:
    made = [data_of(Workshop(settings_of(tmp_path / name / "archives"), tmp_path / name)).digest for name in ("a", "b")]
    assert made[0] == made[1]


def test_what_is_there_is_not_made_again_unless_the_settings_are_others(workshop: Workshop) -> None:
    data_of(workshop)
    assert not list(pictures.build(workshop.settings, workshop.place("nowhere"), workshop.place("data")))
    larger = replace(workshop.settings, data=replace(workshop.settings.data, size=16))
    again = finished(pictures.build(larger, workshop.place("archives"), workshop.place("data")))
    assert again.pixels.shape[1] == 16


def test_captions_say_the_same_in_both_languages(workshop: Workshop) -> None:
    cat = data_of(workshop).concepts["1F431"]
    assert cat.labels == {"en": "cat face", "es": "cara de gato"}
    assert cat.keywords == {"en": ["cat", "pet", "kitty"], "es": ["gato", "mascota", "minino"]}
    shown = Shown(cat, {"en": ("flat",), "es": ("plano",)}, ("orange",), "blue")
    said = {
        language: {captions.caption(shown, language, np.random.default_rng(seed)) for seed in range(300)}
        for language in ("en", "es")
    }
    assert any("orange cat face" in one for one in said["en"])
    assert any("cara de gato de color naranja" in one for one in said["es"])
    assert any(one.endswith("on a blue background") for one in said["en"])
    assert any(one.endswith("sobre fondo azul") for one in said["es"])
    assert len(said["en"]) > 50
    english = {"cat", "dog", "blue", "orange", "flat", "background", "on", "and", "pet", "kitty", "face"}
    assert not [one for one in said["es"] if english & set(one.replace(",", "").split())]


def test_some_captions_are_sentences_as_people_ask_for_pictures(workshop: Workshop) -> None:
    """With the article that English wants, and Spanish colours behind the name, in either gender."""
    data = data_of(workshop)
    said = {
        (key, language): {
            captions.caption(Shown(data.concepts[key], {}, ("red",), "white"), language, np.random.default_rng(seed))
            for seed in range(1500)
        }
        for key in ("1F431", "1F30A")
        for language in ("en", "es")
    }
    assert {"cat face", "a cat face", "my cat face", "a drawing of a cat face"} <= said["1F431", "en"]
    assert any(one.startswith("draw a red cat face") for one in said["1F431", "en"])
    assert not [one for one in said["1F431", "en"] if "an cat" in one or "an red" in one]
    one_of_a_vowel = replace(data.concepts["1F30A"], labels={"en": "ocean wave", "es": "ola"})
    found = {
        captions.caption(Shown(one_of_a_vowel, {}, (), "white"), "en", np.random.default_rng(seed))
        for seed in range(1500)
    }
    assert "draw an ocean wave" in found
    assert not [one for one in found if " a ocean" in f" {one}"]
    strange = [one for one in found if re.fullmatch(r"(\w+ )+ocean wave", one)]
    assert len({one.split()[0] for one in strange}) > 30  # among words that tell nothing, too
    assert {"ola de mar", "una ola de mar", "un ola de mar"} <= said["1F30A", "es"]
    assert any(one.startswith("dibuja una ola de mar") for one in said["1F30A", "es"])
    assert {"ola de mar rojo", "ola de mar roja", "ola de mar de color rojo"} <= said["1F30A", "es"]


@pytest.mark.parametrize(
    ("name", "article"),
    [("umbrella", "an"), ("hourglass", "an"), ("orange", "an"), ("euro banknote", "a"), ("unicorn", "a"),
     ("house", "a"), ("uniform", "a"), ("one-piece swimsuit", "a"), ("unlocked", "an"), ("ufo", "a"),
     ("underwear", "an")],
)  # fmt: skip
def test_the_article_goes_by_how_a_word_is_spoken(workshop: Workshop, name: str, article: str) -> None:
    thing = replace(data_of(workshop).concepts["1F431"], labels={"en": name, "es": name}, keywords={"en": [], "es": []})
    shown = Shown(thing, {}, (), "white")
    said = {captions.caption(shown, "en", np.random.default_rng(seed)) for seed in range(1500)}
    assert f"draw {article} {name}" in said
    assert not [one for one in said if f" {'an' if article == 'a' else 'a'} {name}" in one]


def test_what_is_not_as_one_would_expect_is_always_told(workshop: Workshop) -> None:
    """A colour that is not its own, and a background; a name alone means the drawing as it is."""
    cat = data_of(workshop).concepts["1F431"]
    for language, color, ground in (("en", "blue", "on a pink background"), ("es", "azul", "sobre fondo rosa")):
        turned, plain = (
            {captions.caption(shown, language, np.random.default_rng(seed)) for seed in range(300)}
            for shown in (Shown(cat, {}, ("blue",), "pink", turned=True), Shown(cat, {}, ("blue",), "white"))
        )
        assert not [one for one in turned if color not in one or ground not in one]
        assert cat.labels[language] in plain


def test_no_caption_calls_a_thing_by_the_name_of_another(workshop: Workshop) -> None:
    """A cat face has the keyword `cat`, which is the name of the whole cat; and `pet`, which a dog is, too."""
    concepts = data_of(workshop).concepts
    assert {"cat face", "cara de gato", "pet"} <= naming.ambiguous(concepts)
    assert "kitty" not in naming.ambiguous(concepts)
    cat = data_of(workshop).concepts["1F431"]
    named = [
        {captions.caption(Shown(cat, {}, (), "white", taken=taken), "en", np.random.default_rng(seed))
         for seed in range(500)}
        for taken in (frozenset[str](), frozenset({"cat"}))
    ]  # fmt: skip
    assert ["cat" in said for said in named] == [True, False]
    assert all("kitty" in said for said in named)


def test_a_caption_without_words_of_style_may_mean_one_family_alone(workshop: Workshop) -> None:
    data = data_of(workshop)
    shown = [variants.measured(pixels, variants.chosen(workshop.settings, data, place, 0))
             for place, pixels in enumerate(np.asarray(data.pixels))]  # fmt: skip
    encoded = Encoded(np.zeros((0,), np.float16), shown)
    for house, never_without in (("", set()), ("round", {"square"})):
        material = Material(workshop.settings, data, None, lambda _: encoded, house)
        without = {
            data.drawings[place].family
            for place in data.used_for("train")
            for seed in range(100)
            if data.drawings[place].family not in told(material, encoded, place, np.random.default_rng(seed))
        }
        assert without == {"round", "square"} - never_without


def test_accents_may_be_left_out_but_not_the_letter_that_is_another_without() -> None:
    assert captions.without_accents("el océano, un ñandú") == "el oceano, un ñandu"


@pytest.mark.parametrize(
    ("rgb", "name"),
    [((210, 20, 30), "red"), ((40, 90, 210), "blue"), ((50, 160, 60), "green"), ((255, 215, 50), "yellow"),
     ((250, 250, 250), "white"), ((10, 10, 10), "black"), ((120, 70, 40), "brown"), ((245, 120, 180), "pink")],
)  # fmt: skip
def test_colors_get_the_names_that_people_use(rgb: tuple[int, int, int], name: str) -> None:
    picture = np.zeros((9, 9, 4), np.uint8)
    picture[:, :6] = (*rgb, 255)
    assert colors.named(picture) == [name]


def test_a_turned_hue_changes_the_color_that_is_told() -> None:
    picture = np.full((9, 9, 4), (210, 60, 60, 255), np.uint8)
    turned = colors.turned(picture, 120)
    assert colors.named(turned)[0] in {"green", "blue", "turquoise"}
    gray = np.full((9, 9, 4), (128, 128, 128, 200), np.uint8)
    assert (colors.turned(gray, 120) == gray).all()


def test_what_is_red_by_name_is_never_turned_and_pairs_held_back_are_never_shown(workshop: Workshop) -> None:
    data = data_of(workshop)
    strict = replace(workshop.settings, data=replace(workshop.settings.data, variants=40, unseen_pairs=0.5))
    turned = 0
    for place, drawing in enumerate(data.drawings):
        for number in range(40):
            chosen = variants.chosen(strict, data, place, number)
            assert not (chosen.angle and drawing.concept == "1F34E")
            if chosen.angle:
                turned += 1
                told = variants.measured(data.pixels[place], chosen).colors
                assert not told or not variants.held_back(strict, drawing.concept, told[0])
    assert turned > 10


def test_no_text_is_without_tokens(workshop: Workshop) -> None:
    vocabulary.learn(workshop.settings, data_of(workshop), workshop.place("vocabulary"))
    tokenizer = vocabulary.load(workshop.place("vocabulary"), 12)
    pieces = json.loads((workshop.place("vocabulary") / "vocab.json").read_text("utf-8"))
    assert len(pieces) <= workshop.settings.words.vocabulary
    for said in ("gato", "ñ", "日本", "🐱"):
        tokens = tokenizer(said).input_ids
        assert len(tokens) > 2
        assert tokenizer.unk_token_id not in tokens[1:-1]


def test_archives_come_from_the_registry_and_wrong_ones_are_refused(tmp_path: Path) -> None:
    given = settings_of(tmp_path / "there")
    asked: list[str] = []

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            name = next(one.local for one in given.sources if self.path == f"/{one.package}/-/{one.filename}")
            content = (tmp_path / "there" / name).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        list(packages.fetch(given.sources, tmp_path / "here", address))
        list(packages.fetch(given.sources, tmp_path / "here", address))
        assert len(asked) == len(given.sources)
        assert asked[0] == "/@iconify-json/round/-/round-1.0.0.tgz"
        other = replace(given.sources[0], sha256="0" * 64)
        with pytest.raises(HashMismatch):
            list(packages.fetch((other,), tmp_path / "other", address))
        with pytest.raises(HashMismatch):
            list(packages.fetch((other,), tmp_path / "here", address))
        server.shutdown()
