"""Names of files: which are plain, which belong together, which are to be taken in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import RejectedError
from sftp.names import check_name, control_name, is_data_file, join, part_name, stem


@pytest.mark.parametrize("name", ["A.dat", "NEM12#1#X#Y.csv", "a b.dat", "é.dat", "x" * 200])
def test_a_plain_name_passes(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", ".A", "a/b", "a\\b", "a\nb", "a\x00b", "x" * 201, "\ud800"])
def test_a_name_that_could_leave_its_folder_or_hide_is_refused(name: str) -> None:
    with pytest.raises(RejectedError):
        check_name(name)


@given(st.text())
def test_no_name_that_passes_leaves_its_folder(name: str) -> None:
    if is_data_file(name):
        assert join("outbound", name).count("/") == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BD_1.dat", "BD_1"),
        ("BD_1.dat.gz", "BD_1"),
        ("BD_1.dat.gz.pgp", "BD_1"),
        ("BD_1.ack", "BD_1"),
        ("NEM12#1#X#Y.zip", "NEM12#1#X#Y"),
        ("v1.2_A.dat", "v1.2_A"),
        ("plain", "plain"),
    ],
)
def test_a_data_file_shares_its_stem_with_control_file_and_answer(name: str, expected: str) -> None:
    assert stem(name) == expected
    assert control_name(name) == f"{expected}.ctl"


@pytest.mark.parametrize(
    ("name", "taken"), [("A.dat", True), ("A.ack", True), ("A.ctl", False), (".A.dat.part", False)]
)
def test_control_and_unfinished_files_are_not_taken_in(name: str, taken: bool) -> None:
    assert is_data_file(name) is taken
    assert not is_data_file(part_name("A.dat"))
