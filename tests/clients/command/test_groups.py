import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clients.command.terminal import (
    make_labelled_lines,
    read_split,
    run_twofold,
    write_manifest,
)
from tests.support.job import IMAGES, make_line
from twofold.manifest.grouping.group_by import GroupBy, UngroupedError
from twofold.manifest.grouping.group_table import GroupTableBuilder, join_groups
from twofold.manifest.line.byte_ranges import LineBatch

VIDEO = r"/(video-\d+)/"


def add_member(line: str, value: str) -> str:
    return line.replace("{", f'{{"patient":{value},', 1)


@pytest.mark.parametrize("expression", [VIDEO, "patient"])
def test_no_group_is_divided(expression: str, tmp_path: Path) -> None:
    lines = [add_member(one, str(i % 20)) for i, one in enumerate(make_labelled_lines(200))]
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", tmp_path, "--group-by", expression) == 0
    train, test, report = read_split(tmp_path)
    key = GroupBy.parse(expression).extract_key
    groups = [{key(one.encode()) for one in side} for side in (train, test)]
    assert not groups[0] & groups[1]
    assert len(test) == 40
    assert report["groups"] == {
        "groups": 20,
        "testGroups": 4,
        "largestGroup": 10,
        "sizes": [{"from": 8, "to": 15, "train": 16, "test": 4}],
        "labelsInOneGroup": [],
    }
    assert report["parameters"] == {"testFraction": "1/5", "seed": 0, "groupBy": expression}


def test_a_number_and_its_text_are_one_group() -> None:
    by_patient = GroupBy.parse("patient")
    assert by_patient.extract_key(b'{"patient":7}') == by_patient.extract_key(b'{"patient":"7"}')


@pytest.mark.parametrize(
    ("expression", "ungrouped", "reason"),
    [
        (
            VIDEO,
            make_line("photo/1", "a"),
            "The source-ref 's3://example-images/photo/1.jpg' has no",
        ),
        (
            r"/video-(\d*)",
            make_line("video-/1", "a"),
            "The source-ref 's3://example-images/video-/1.jpg' has no",
        ),
        ("patient", make_line(1, "a"), "The line has no member 'patient'."),
        (
            "patient",
            add_member(make_line(1, "a"), "null"),
            "The member 'patient' is null; it must be text or",
        ),
        ("patient", add_member(make_line(1, "a"), '""'), "The member 'patient' is \"\"; it must"),
        (
            "patient",
            add_member(make_line(1, "a"), "true"),
            "The member 'patient' is true; it must",
        ),
    ],
)
def test_an_entry_without_a_group_is_named(
    expression: str,
    ungrouped: str,
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = ["{", *[add_member(one, '"p"') for one in make_labelled_lines(50)], ungrouped]
    out = tmp_path / "out"
    assert (
        run_twofold("split", write_manifest(tmp_path, lines), "-o", out, f"--group-by={expression}")
        == 1
    )
    told = capsys.readouterr().err
    assert "1 entry has no group" in told
    assert f"line 52: {reason}" in told
    assert not out.exists()


def test_groups_that_leave_a_side_empty_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [make_line(f"{'xy'[i % 2]}/{i}", "a") for i in range(40)]
    out = tmp_path / "out"
    manifest = write_manifest(tmp_path, lines)
    assert run_twofold("split", manifest, "-o", out, "--group-by", "/([xy])/") == 1
    assert (
        "Whole groups leave one dataset empty: no choice of them is nearer to 8 of 40 entries"
        in capsys.readouterr().err
    )
    assert not out.exists()


@pytest.mark.parametrize("expression", [r"((?:a+)+)$x", r"((?:a|aa)*)b$", r".*.*.*.*.*(x)y"])
@pytest.mark.timeout(60)
def test_every_expression_takes_linear_time(expression: str) -> None:
    """A backtracking engine would take exponential time."""
    document = b'{"source-ref":"s3://b/' + b"a" * 1000 + b'"}'
    with pytest.raises(UngroupedError):
        GroupBy.parse(expression).extract_key(document)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30))
def test_equal_keys_have_equal_hashes_and_others_do_not(keys: list[str]) -> None:
    batch = LineBatch(range(len(keys)), [f'{{"k":"{key}"}}'.encode() for key in keys])
    found = GroupTableBuilder()
    assert list(GroupBy.parse("k").record_keys([batch], found)) == [batch]
    groups = join_groups([found.build()]).tolist()
    by_key = dict(zip(keys, groups, strict=True))
    assert [by_key[key] for key in keys] == groups
    assert len(set(groups)) == len(by_key)


def test_a_whole_number_is_the_same_group_with_and_without_a_point(tmp_path: Path) -> None:
    spelled = ["7", "7.0", '"7"', "0.7e1", "0", "0.0", "-0", "-0.0", "9007199254740991.0"]
    groups = [
        GroupBy.parse("patient").extract_key(f'{{"patient":{value}}}'.encode()) for value in spelled
    ]
    assert groups == ["7"] * 4 + ["0"] * 4 + ["9007199254740991"]
    lines = [
        add_member(one, f"{i % 20}" if i % 3 else f"{i % 20}.0")
        for i, one in enumerate(make_labelled_lines(200))
    ]
    assert (
        run_twofold(
            "split", write_manifest(tmp_path, lines), "-o", tmp_path, "--group-by", "patient"
        )
        == 0
    )
    assert read_split(tmp_path)[2]["groups"]["groups"] == 20  # type: ignore[index]
    assert run_twofold("verify", tmp_path) == 0


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("2.5", "is 2.5; it must be text or a whole number."),
        ("true", "is true; it must be text or a whole number."),
        (
            "9007199254740992.0",
            "is 9007199254740992.0; it must be text or a whole number below 2**53.",
        ),
        ("1e300", "is 1e+300; it must be text or a whole number below 2**53."),
    ],
)
def test_other_numbers_are_no_groups(value: str, told: str) -> None:
    with pytest.raises(UngroupedError) as refused:
        GroupBy.parse("patient").extract_key(f'{{"patient":{value}}}'.encode())
    assert str(refused.value).endswith(told)


def test_entries_without_a_group_are_groups_of_their_own(tmp_path: Path) -> None:
    """The single whose source-ref is also a key of a group stays apart from this group."""
    lines = [add_member(one, str(i % 20)) for i, one in enumerate(make_labelled_lines(200))]
    lines += [make_line(f"single/{i}", "a", "b") for i in range(20)]
    lines += [
        add_member(make_line("single/null", "a"), "null"),
        add_member(make_line("e", "b"), '""'),
    ]
    lines += [
        add_member(make_line(f"twin/{i}", "b"), f'"s3://{IMAGES}/single/0.jpg"') for i in (1, 2)
    ]
    manifest = write_manifest(tmp_path, lines)
    options = ("--group-by", "patient", "--ungrouped", "single")
    assert run_twofold("split", manifest, "-o", tmp_path / "out", *options) == 0
    _, test, _ = read_split(tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert report["parameters"]["ungrouped"] == "single"
    assert report["groups"]["ungrouped"] == 22
    assert report["groups"]["groups"] == 20 + 22 + 1
    assert len(test) == 45
    assert run_twofold("verify", tmp_path / "out", "--source", manifest) == 0
    # Another order of the lines gives the same test set.
    manifest.write_text("".join(f"{line}\n" for line in reversed(lines)))
    assert run_twofold("split", manifest, "-o", tmp_path / "again", *options) == 0
    assert sorted(read_split(tmp_path / "again")[1]) == sorted(test)


def test_a_value_that_is_no_key_is_an_error_beside_singles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [add_member(make_line(1, "a"), "3.5"), *(make_line(i, "a") for i in range(2, 30))]
    manifest = write_manifest(tmp_path, lines)
    options = ("--group-by", "patient", "--ungrouped", "single")
    assert run_twofold("split", manifest, "-o", tmp_path / "out", *options) == 1
    assert "1 entry has no group by 'patient'. line 1: The member" in capsys.readouterr().err
    assert run_twofold("split", manifest, "-o", tmp_path / "out", *options[2:]) == 2
    assert "--ungrouped single needs --group-by" in capsys.readouterr().err
