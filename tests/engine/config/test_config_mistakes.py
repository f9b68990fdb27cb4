"""Mistakes in configuration: file, line, key, what was expected, the nearest name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import load_catalogue
from engine.errors import ConfigError

Write = Callable[[str, str], Path]

SUITE = "name: s\ntitle: S\nmodels: [sasrec]\ndatasets: [synthetic]\nlengths: [50]\nseeds: [1]\n"
TABLE = "name: t\ntitle: T\nsource: S\nranking: all-items\naggregate: max\ncells:\n"
DATASET = (
    "name: d\ntitle: D\nsize: small\nreader: synthetic\nusers: 9\nitems: 9\ninteractions: 99\n"
)


def complaint(layer: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_catalogue(layer)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{layer}/")


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        (
            "suites/s.yaml",
            SUITE + "seed: [2]\n",
            "suites/s.yaml:7: seed: unknown key 'seed': did you mean 'seeds'?",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("title", "titel"),
            "suites/s.yaml:2: titel: unknown key 'titel': did you mean 'title'?",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("title: S\n", ""),
            "suites/s.yaml:1: title: this key is needed.",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("[50]", "[50, x]"),
            "suites/s.yaml:5: lengths.1: expected a whole number, not 'x'.",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("[50]", "50"),
            "suites/s.yaml:5: lengths: expected a list, not 50.",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("[1]", "[]"),
            "suites/s.yaml:6: seeds: expected at least 1 of them, not ().",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("sasrec", "sasrek"),
            "suites/s.yaml:3: models.0: there is no model 'sasrek': did you mean 'sasrec'?",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("synthetic", "synth"),
            "suites/s.yaml:4: datasets.0: there is no data set 'synth': did you mean 'synthetic'?",
        ),
        (
            "suites/s.yaml",
            SUITE + "profile: tuend\n",
            "suites/s.yaml:7: profile: sasrec has reference, tuned, not 'tuend'.",
        ),
        (
            "suites/s.yaml",
            SUITE + "overrides:\n  epochs: 3\n  epoch: 4\n",
            "suites/s.yaml:9: overrides.epoch: sasrec has no setting 'epoch': "
            "did you mean 'epochs'?",
        ),
        (
            "suites/s.yaml",
            SUITE + "variants:\n  one: {epochs: 3}\n  two:\n    epoch: 4\n",
            "suites/s.yaml:10: variants.two.epoch: sasrec has no setting 'epoch': "
            "did you mean 'epochs'?",
        ),
        (
            "suites/s.yaml",
            SUITE + "overrides:\n  lr: {a: 1}\n",
            "suites/s.yaml:8: overrides.lr: "
            "expected text or a whole number or a number or true or false or a list, not {'a': 1}.",
        ),
        (
            "suites/s.yaml",
            SUITE + "overrides:\n  lr: []\n",
            "suites/s.yaml:8: overrides.lr: ",
        ),
        (
            "suites/s.yaml",
            SUITE + "overrides:\n  epochs: [3, 0]\n",
            "suites/s.yaml:8: overrides.epochs: epochs: expected a number of at least 1, not 0.",
        ),
        (
            "suites/s.yaml",
            SUITE.replace("[50]", "[1]"),
            "suites/s.yaml:1: sasrec × synthetic × 1: length: "
            "expected a number of at least 2, not 1.",
        ),
        ("suites/s.yaml", "title: S\n", "suites/s.yaml:1: name: every entry needs a name"),
        ("suites/s.yaml", SUITE.replace("name: s", "name: 5"), "suites/s.yaml:1: name: every"),
        (
            "suites/s.yaml",
            SUITE.replace("name: s", "name: My Suite"),
            "suites/s.yaml:1: name: expected text that matches",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    sizes:\n      tiny: {}\n",
            "models/m.yaml:5: profiles.reference.sizes.tiny: "
            "expected 'small', 'medium' or 'large', not 'tiny'.",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    sizes:\n      small:\n"
            "        architecture: {hed: 2}\n",
            "models/m.yaml:6: profiles.reference.sizes.small.architecture.hed: "
            "unknown key 'hed': did you mean 'heads'?",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    sizes:\n      small:\n"
            "        architecture: {heads: 3}\n",
            "models/m.yaml:6: profiles.reference.sizes.small.architecture: "
            "dim (64) must be a multiple of heads (3).",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    sizes:\n      small: {archtecture: {}}\n",
            "models/m.yaml:5: profiles.reference.sizes.small.archtecture: "
            "unknown key 'archtecture': did you mean 'architecture'?",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  training:\n    training: {}\n",
            "models/m.yaml:3: profiles.training.architecture: this key is needed.",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    training: {lr: fast}\n",
            "models/m.yaml:4: profiles.reference.training.lr: expected a number, not 'fast'.",
        ),
        (
            "models/m.yaml",
            "name: sasrec\nprofiles:\n  reference:\n    architecture: {model: sasrek}\n",
            "models/m.yaml:4: profiles.reference.architecture.model: did you mean 'sasrec'?",
        ),
        (
            "models/m.yaml",
            "name: sasrec\naliases: [100k, XLSTM]\n",
            "models/m.yaml:2: aliases.1: 'XLSTM' names xlstm already.",
        ),
        (
            "datasets/d.yaml",
            DATASET + "synthetic: {sed: 1}\n",
            "datasets/d.yaml:8: synthetic.sed: unknown key 'sed': did you mean 'seed'?",
        ),
        (
            "datasets/d.yaml",
            DATASET,
            "datasets/d.yaml:1: 'synthetic' settings belong to reader 'synthetic'",
        ),
        (
            "datasets/d.yaml",
            DATASET.replace("items: 9", "items: true") + "synthetic: {}\n",
            "datasets/d.yaml:6: items: expected a whole number, not true.",
        ),
        (
            "datasets/d.yaml",
            "name: ml-1m\narchive: {url: 'ftp://x'}\n",
            "datasets/d.yaml:2: archive.url: expected text that matches ^https?://, not 'ftp://x'.",
        ),
        (
            "datasets/d.yaml",
            "name: ml-1m\nfolder: ../../etc\n",
            "datasets/d.yaml:2: folder: expected text that matches",
        ),
        (
            "datasets/d.yaml",
            "name: ml-100k\nfiles: {../../../etc/passwd: null}\n",
            "'files' holds '../../../etc/passwd', which is outside of the folder",
        ),
        (
            "settings.yaml",
            "slots:\n  cpu: many\n",
            "settings.yaml:2: slots.cpu: expected a whole number or 'auto', not 'many'.",
        ),
        ("settings.yaml", "slots: 3\n", "settings.yaml:1: slots: expected a mapping of keys"),
        ("settings.yaml", "retries: 101\n", "retries: expected a number of at most 100, not 101."),
        (
            "settings.yaml",
            "notify: allways\n",
            "notify: expected 'unfocused', 'always' or 'never', not 'allways': did you mean",
        ),
        *(
            (
                "settings.yaml",
                f"webhook: {wrong}\n",
                "settings.yaml:1: webhook: expected an address such as https://example.org/hook.",
            )
            for wrong in (
                "file:///etc/passwd",
                "ftp://a/b",
                "example.org",
                "'http://'",
                "http://a:x/",
                "'http://a/ b'",
                "'http://[/'",
                "''",
            )
        ),
        ("settings.yaml", "webhook: 3\n", "webhook: expected text, not 3."),
        ("settings.yaml", "- 1\n", "settings.yaml:1: expected a mapping of keys to values."),
        (
            "reference/t.yaml",
            TABLE + "  - {model: sasrec, dataset: ml-1m, length: 50, figures: {NGCD@10: 1}}\n",
            "reference/t.yaml:7: cells.0.figures.NGCD@10: did you mean 'NDCG@10'?",
        ),
        *(
            (
                "reference/t.yaml",
                TABLE + "  - {model: sasrec, dataset: ml-1m, length: 50, figures: "
                f"{{NDCG@10/test: {wrong}}}}}\n",
                f"reference/t.yaml:7: cells.0.figures.NDCG@10/test: expected a number{sentence}.",
            )
            for wrong, sentence in (
                ("none", ", not 'none'"),
                ("true", ", not true"),
                ("'nan'", ", not 'nan'"),
                ("1e-999999999", " of at most 20 places, not 1E-999999999"),
                ("123456789012345678901", " of at most 20 places, not 123456789012345678901"),
            )
        ),
        (
            "reference/t.yaml",
            TABLE + "  - {model: sasrek, dataset: ml-1m, length: 50, figures: {}}\n",
            "reference/t.yaml:7: cells.0.model: 'sasrek': did you mean 'sasrec'?",
        ),
        (
            "reference/t.yaml",
            TABLE + "  - {model: sasrec, dataset: ml-1m, length: 50, figures: {}}\n" * 2,
            "reference/t.yaml:8: cells.1: this cell is listed twice.",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(
    layer: Path, write: Write, file: str, text: str, sentence: str
) -> None:
    write(file, text)
    assert sentence in complaint(layer)
    assert complaint(layer).startswith(file)


def test_two_files_of_one_layer_must_not_have_one_name(layer: Path, write: Write) -> None:
    first = write("suites/a.yaml", SUITE)
    write("suites/b.yaml", SUITE)
    assert complaint(layer) == f"suites/b.yaml:1: name: {first} has the name 's' too."


def test_a_mistake_in_a_merged_entry_is_told_of_the_file_that_has_it(
    layer: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "here/configs/suites"
    local.mkdir(parents=True)
    (local / "s.yaml").write_text(SUITE + "nonsense: 1\n")
    monkeypatch.chdir(tmp_path / "here")
    write("suites/s.yaml", "name: s\ntitle: mine\n")
    with pytest.raises(ConfigError) as caught:
        load_catalogue(layer)
    assert str(caught.value).startswith(f"{local / 's.yaml'}:7: nonsense: ")


def test_hostile_text_in_a_message_is_cut_and_escaped(layer: Path, write: Write) -> None:
    write("settings.yaml", 'retries: "\\e[2J' + "x" * 500 + '"\n')
    message = complaint(layer)
    assert "\x1b" not in message
    assert len(message) < 200


def test_a_suite_of_more_runs_than_anyone_can_do_is_refused_at_once(
    layer: Path, write: Write
) -> None:
    many = list(range(500))
    suite = SUITE.replace("[1]", str(many)).replace("[50]", str(many[2:]))
    write("suites/s.yaml", suite)
    assert complaint(layer) == (
        "suites/s.yaml:1: That is 249,000 runs: choose at most 10,000 at a time."
    )
