"""YAML is read as plain data, and what can't be read is named with its file and line."""

from __future__ import annotations

import math
import os
import socket
import tracemalloc
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.yamlfile import MAX_BYTES, YamlDocument, merge_documents, parse_scalar, read_yaml

Frozen = dict[str, "Frozen"] | tuple["Frozen", ...] | str | int | float | bool | None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "entry.yaml"


def read(file: Path, text: str | bytes) -> YamlDocument:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_yaml(file)


def refusal(file: Path, text: str | bytes) -> str:
    """The sentence, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        read(file, text)
    message = str(caught.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message.removeprefix(str(file))


def test_values_keep_their_types_and_their_lines(file: Path) -> None:
    document = read(
        file,
        "name: a\nsizes:\n  small: {dim: 64, dropout: 1e-1}\n"
        "  list:\n    - 1\n    - x\nlast: null\n",
    )
    assert document.value == {
        "name": "a",
        "sizes": {"small": {"dim": 64, "dropout": 0.1}, "list": (1, "x")},
        "last": None,
    }
    lines = {place: line for place, (_, line) in document.lines.items()}
    assert lines[("sizes", "small", "dim")] == 3
    assert lines[("sizes", "list", 1)] == 6
    assert lines[("last",)] == 7


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("+7", 7),
        ("0.001", 0.001),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("5.", 5.0),
        ("1E5", 1e5),
        ("true", True),
        ("False", False),
        ("NULL", None),
        ("~", None),
        ("", None),
        # YAML 1.1 and Python read these as something else; a name must stay a name.
        ("no", "no"),
        ("yes", "yes"),
        ("off", "off"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("100K", "100K"),
        ("tRUE", "tRUE"),
        ("nan", "nan"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("٣", "٣"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_plain_text_is_typed_by_the_core_schema(text: str, value: object) -> None:
    parsed = parse_scalar(text)
    assert parsed == value
    assert type(parsed) is type(value)


def test_quoted_text_is_text(file: Path) -> None:
    assert read(file, "a: '12'\nb: \"true\"\nc: |\n  5\n").value == {
        "a": "12",
        "b": "true",
        "c": "5\n",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: 2\n", ":1: YAML aliases are not allowed."),
        ("a: 1\nb: *x\n", ":2: YAML aliases are not allowed."),
        ("a: 1\nb: !!python/object/apply:os.system ['true']\n", ":2: YAML tags are not allowed."),
        ("a: !!int '3'\n", ":1: YAML tags are not allowed."),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", ":4: the key 'c' stands twice."),
        ("? [a, b]\n: 1\n", ":1: a key must be plain text."),
        ("- 1\n- 2\n", ":1: expected a mapping of keys to values."),
        ("", ":1: expected a mapping of keys to values."),
        ("just text\n", ":1: expected a mapping of keys to values."),
        ('a: "\\UFFFFFFFF"\n', ": is not YAML: it holds a number that is out of range."),
        (b"a: \xff\xfe\n", ": is not UTF-8 text (byte 3)."),
        pytest.param("a: " + "[" * 90_000, ":1: is nested more than 32 deep.", id="flow depth"),
        pytest.param(
            "".join(f"{' ' * i}a:\n" for i in range(400)),
            ":33: is nested more than 32 deep.",
            id="block depth",
        ),
        pytest.param(
            "a: 1\n" + "#" * MAX_BYTES, f": is larger than {MAX_BYTES:,} bytes.", id="size"
        ),
    ],
)
def test_what_is_not_plain_data_is_refused(file: Path, text: str | bytes, expected: str) -> None:
    assert refusal(file, text) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3),
        ("a: 1\n\tb: 2\n", 2),
        ("a: 'open\n", 2),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: 1\nb: \x07\n", 2),
        ("a: b: c\n", 1),
    ],
)
def test_a_syntax_error_names_its_line(file: Path, text: str, line: int) -> None:
    assert refusal(file, text).startswith(f":{line}: ")


def test_a_billion_laughs_is_refused_before_it_is_built(file: Path) -> None:
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert "aliases" in refusal(file, "\n".join(["l0: &l0 [ha]", *levels]))


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_yaml(tmp_path / "absent.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.yaml"))
        with pytest.raises(ConfigError, match=r"socket\.yaml: "):
            read_yaml(tmp_path / "socket.yaml")
    (tmp_path / "link.yaml").symlink_to("/dev/zero")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    with pytest.raises(ConfigError, match="symbolic links"):
        read_yaml(tmp_path / "loop.yaml")
    for path in (tmp_path, tmp_path / "pipe.yaml", tmp_path / "link.yaml", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="is not a file"):
            read_yaml(path)


def test_a_huge_file_is_refused_before_it_is_read(file: Path) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(100_000_000)
    tracemalloc.start()
    with pytest.raises(ConfigError, match="is larger than"):
        read_yaml(file)
    assert tracemalloc.get_traced_memory()[1] < 10 * MAX_BYTES
    tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "a: [" + "1," * 45_000 + "1]",
        "".join(f"k{i}: 1\n" for i in range(9_000)),
        "a:\n" + "- 1\n" * 20_000,
    ],
)
def test_what_would_take_long_is_refused(file: Path, text: str) -> None:
    assert "too many values" in refusal(file, text)


def test_a_long_key_is_cut_in_the_sentence(file: Path) -> None:
    broken = read(file, '"a\\nb": 1\n').error(("a\nb",), "is wrong.")
    assert str(broken) == f"{file}:1: a\\nb: is wrong."
    key = "k" * 1_000
    assert len(refusal(file, f"{key}: 1\n{key}: 2\n")) < 200
    assert len(str(read(file, f"{key}: 1\n").error((key,), "is wrong."))) < 500


def test_a_byte_order_mark_is_no_part_of_the_first_key(file: Path) -> None:
    assert read(file, b"\xef\xbb\xbfname: a\n").value == {"name": "a"}


def test_an_error_names_the_nearest_place_that_has_a_line(file: Path) -> None:
    document = read(file, "name: a\nsizes:\n  small: {}\n")
    assert str(document.error(("sizes", "small", "dim"), "is needed.")) == (
        f"{file}:3: sizes.small.dim: is needed."
    )
    assert str(document.error((), "is odd.")) == f"{file}:1: is odd."


def test_a_layer_above_overrides_single_keys_and_keeps_both_places(tmp_path: Path) -> None:
    (tmp_path / "low.yaml").write_text("name: a\nx: {one: 1, two: 2}\nlist: [1, 2, 3]\n")
    (tmp_path / "high.yaml").write_text("name: a\n\nx: {two: 22}\nlist: [9]\n")
    low, high = read_yaml(tmp_path / "low.yaml"), read_yaml(tmp_path / "high.yaml")
    merged = merge_documents(low, high)
    assert merged.value == {"name": "a", "x": {"one": 1, "two": 22}, "list": (9,)}
    assert merged.lines[("x", "one")] == (low.path, 2)
    assert merged.lines[("x", "two")] == (high.path, 3)
    assert low.value["x"] == {"one": 1, "two": 2}, "merging leaves the layer below as it was"


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6) | names,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(names, inner, max_size=3)
    ),
    max_leaves=12,
)
mappings = st.dictionaries(names, values, max_size=4)


def _listed(value: Frozen) -> object:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


@given(mappings)
@example({"": "0E0"})
def test_what_is_dumped_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, Frozen]
) -> None:
    path = tmp_path_factory.mktemp("yaml") / "entry.yaml"
    text = yaml.dump(
        _listed(value), Dumper=_NoAliases, allow_unicode=True, default_style=None, sort_keys=False
    )
    path.write_text(text, encoding="utf-8")
    assert read_yaml(path).value == value


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """In quotes: PyYAML writes 1e3 without, which it doesn't read as a number itself."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_NoAliases.add_representer(str, _quoted)


@given(mappings, mappings)
def test_merging_takes_every_leaf_from_one_of_the_two(
    below: dict[str, Frozen], above: dict[str, Frozen]
) -> None:
    path = Path("x.yaml")
    merged = merge_documents(YamlDocument(path, below), YamlDocument(path, above)).value
    assert merged.keys() == below.keys() | above.keys()
    for key, value in merged.items():
        if not (isinstance(below.get(key), dict) and isinstance(above.get(key), dict)):
            assert value == (above[key] if key in above else below[key])
    again = merge_documents(YamlDocument(path, merged), YamlDocument(path, above)).value
    assert again == merged


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("yaml") / "entry.yaml"
    path.write_bytes(data)
    try:
        value = read_yaml(path).value
    except ConfigError:
        return
    assert isinstance(value, dict)


@given(st.text(max_size=20) | st.floats().map(str) | st.integers().map(str))
def test_any_scalar_is_text_or_a_finite_value(text: str) -> None:
    value = parse_scalar(text)
    if isinstance(value, str):
        assert value == text
    elif isinstance(value, float):
        assert math.isfinite(value)
