"""Which GPUs ``CUDA_VISIBLE_DEVICES`` shows, in all its forms. What CUDA itself makes of each was
tried on two H200s with driver 580; there a GPU that is named twice makes an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.machine.gpus import VISIBLE, Gpu, uuid_of, visible_gpus

ONE = {"GPU-2357aaaa": "NVIDIA H200"}
TWO = {"GPU-aaaa1111": "NVIDIA A", "GPU-bbbb2222": "NVIDIA B"}
ALIKE = {"GPU-aaaa1111": "NVIDIA A", "GPU-bbbb2222": "NVIDIA A"}
BY_BUS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


@pytest.mark.parametrize(
    ("listed", "visible", "said"),
    [
        (None, ["GPU-aaaa1111", "GPU-bbbb2222"], None),
        ("1", ["1"], None),
        ("1,0", ["1", "0"], None),
        (" 1 , 0", ["1", "0"], None),
        ("+1", ["1"], None),
        ("01;0", ["1"], None),
        ("1gpu", ["1"], None),
        ("GPU-bb", ["GPU-bb"], None),
        ("GPU-BBBB2222", ["GPU-BBBB2222"], None),
        (" GPU-bbbb2222, GPU-aa", ["GPU-bbbb2222", "GPU-aa"], None),
        ("GPU-bbbb2222,0", ["GPU-bbbb2222"], "'0' is of another kind than the first"),
        ("1,GPU-aaaa1111,0", ["1"], "'GPU-aaaa1111' is of another kind than the first"),
        ("0,MIG-1", ["0"], "'MIG-1' is of another kind than the first"),
        ("MIG-1234, MIG-1234", ["MIG-1234"], "names GPU MIG-1234 twice"),
        ("0,0", ["0"], "names GPU 0 twice: it counts once"),
        ("1,0,1,1", ["1", "0"], "names GPU 1 twice"),
        ("GPU-aa,GPU-aaaa1111", ["GPU-aa"], "names GPU GPU-aaaa1111 twice"),
        ("", [], "is '', which hides every GPU"),
        ("-1", [], "is '-1', which hides every GPU"),
        ("-1,0", [], "is '-1,0', which hides every GPU"),
        ("0,-1,1", ["0"], "'-1' isn't a GPU here (the GPUs are 0 to 1): it and those after it"),
        ("0,,1", ["0"], "'' isn't a GPU here"),
        ("2", [], "is '2', and '2' isn't a GPU here (the GPUs are 0 to 1): no GPU is used"),
        ("1,2,0", ["1"], "'2' isn't a GPU here"),
        ("GPU-", [], "'GPU-' isn't a GPU here"),
        ("GPU-cc", [], "'GPU-cc' isn't a GPU here"),
        ("gpu-aaaa1111", [], "isn't a GPU here"),
        ("aaaa1111", [], "isn't a GPU here"),
        ("NoDevFiles", [], "'NoDevFiles' isn't a GPU here"),
        ("all", [], "'all' isn't a GPU here"),
        ("99999999999999999999", [], "isn't a GPU here"),
        ("1" * 5_000, [], "isn't a GPU here"),
        ("١", [], "isn't a GPU here"),
    ],
)
def test_a_list_shows_what_it_names_up_to_the_first_that_is_no_gpu(
    listed: str | None, visible: list[str], said: str | None
) -> None:
    usable = visible_gpus(TWO, {} if listed is None else {VISIBLE: listed})
    assert [gpu.visible for gpu in usable.gpus] == visible
    assert said is None if usable.note is None else said and said in usable.note


def test_where_there_is_one_gpu_the_sentence_says_so() -> None:
    usable = visible_gpus(ONE, {VISIBLE: "2"})
    assert usable.gpus == ()
    assert usable.note == (
        "CUDA_VISIBLE_DEVICES is '2', and '2' isn't a GPU here (the only GPU is 0): no GPU is used."
    )


def test_a_job_of_slurm_has_the_gpus_that_it_was_given() -> None:
    assert visible_gpus(TWO, {"SLURM_JOB_ID": "7"}).gpus == ()
    assert visible_gpus(TWO, {"SLURM_JOB_ID": "7", VISIBLE: "0"}).gpus == (Gpu("0", "NVIDIA A"),)


def test_a_gpu_has_the_name_that_is_certain() -> None:
    assert visible_gpus(TWO, {VISIBLE: "1"} | BY_BUS).gpus == (Gpu("1", "NVIDIA B"),)
    assert visible_gpus(TWO, {VISIBLE: "GPU-bb"}).gpus == (Gpu("GPU-bb", "NVIDIA B"),)


def test_a_number_means_a_gpu_only_where_that_is_certain() -> None:
    assert uuid_of("1", ALIKE, {}) == "GPU-bbbb2222"
    assert uuid_of("1", TWO, {}) is None
    assert uuid_of("1", TWO, BY_BUS) == "GPU-bbbb2222"
    assert uuid_of("7", ALIKE, {}) is None
    assert uuid_of("GPU-bb", TWO, {}) == "GPU-bbbb2222"
    assert uuid_of("GPU-", ONE, {}) is None


entries = st.one_of(
    st.integers(-2, 4).map(str),
    st.sampled_from(["GPU-a", "GPU-aaaa1111", "GPU-", "MIG-1", "", " 0", "x", "GPU-bbbb2222 "]),
    st.text(max_size=3),
)


@given(st.lists(entries, max_size=5).map(",".join))
def test_of_any_list_each_gpu_is_shown_once_and_what_is_left_out_is_said(listed: str) -> None:
    usable = visible_gpus(ALIKE, {VISIBLE: listed})
    names = [gpu.visible for gpu in usable.gpus]
    assert len(names) == len(set(names))
    whole = {uuid_of(name, ALIKE, {}) or name for name in names}
    assert len(whole) == len(names)
    assert all(uuid or name.startswith("MIG-") for name, uuid in
               ((name, uuid_of(name, ALIKE, {})) for name in names))  # fmt: skip
    if len(names) < len(listed.split(",")):
        assert usable.note is not None
        assert usable.note.endswith(".")
    assert visible_gpus({}, {VISIBLE: listed}).gpus == ()
