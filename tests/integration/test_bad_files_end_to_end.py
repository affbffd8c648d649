"""Every bad file of the edge-case table, laid before a real hub by a CIS that writes its files by hand.

One night for all: reference data, then a good file, then each bad one under its own number, taken in by `amihub billing
run` as a process. What the sender reads, what the ledger says and what the store holds is looked at from outside.
"""

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_by_hand import (
    HubByHand,
    Run,
    hash_of,
    reference_file,
    reference_name,
    req,
    request_file,
    request_name,
    sha256,
    upt,
)

from servers.openssh import REFUSE_SETSTAT, private_sshd

pytestmark = pytest.mark.servers

ROOMY = 200
"""Good lines beside a bad one: one in two hundred is below the threshold of one percent."""


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip with these members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


def good(sequence: int) -> bytes:
    """A good file of one line."""
    return request_file(sequence, req(f"R{sequence}"))


def cut(sequence: int) -> bytes:
    return good(sequence)[:-30]


def no_trailer(sequence: int) -> bytes:
    return request_file(sequence, req(f"R{sequence}"), trailer="")


def with_trailer(count: int, hashed: Callable[[int], str]) -> Callable[[int], bytes]:
    return lambda sequence: request_file(sequence, req(f"R{sequence}"), trailer=f"TRL|{count}|0|{hashed(sequence)}")


def one_bad(line: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """A file of many good lines and one bad one in the middle."""

    def make(sequence: int) -> bytes:
        lines = [req(f"R{sequence}-{n}") for n in range(ROOMY)]
        keys = [*(f"R{sequence}-{n}" for n in range(ROOMY)), f"BAD{sequence}"]
        data = request_file(sequence, *lines, trailer=f"TRL|{ROOMY + 1}|0|{hash_of(keys)}").splitlines(keepends=True)
        return b"".join([*data[:-1], line(sequence) + b"\n", data[-1]])

    return make


def bad(**fields: str) -> Callable[[int], bytes]:
    return lambda sequence: req(f"BAD{sequence}", **fields).encode()


def too_many(sequence: int) -> bytes:
    return request_file(sequence, *(req(f"R{sequence}-{n}", start="yesterday" if n < 2 else "") for n in range(100)))


def conflict(sequence: int) -> bytes:
    lines = [req(f"R{sequence}-{n}") for n in range(ROOMY)]
    return request_file(sequence, *lines, req(f"R{sequence}-0", "up-2"))


def identical(sequence: int) -> bytes:
    return request_file(sequence, req(f"R{sequence}"), req(f"R{sequence}"))


WHOLE: dict[str, tuple[Callable[[int], bytes], str, dict[str, Any], str]] = {
    "cut in the trailer": (cut, "", {}, "70"),
    "no trailer": (no_trailer, "", {}, "7003"),
    "no bytes at all": (lambda _: b"", "", {}, "7005"),
    "count of the trailer": (with_trailer(2, lambda n: hash_of([f"R{n}"])), "", {}, "7004"),
    "hash of the trailer": (with_trailer(1, lambda _: "0" * 64), "", {}, "7004"),
    "data after the trailer": (lambda n: good(n) + b"REQ|x\n", "", {}, "7006"),
    "another layout": (lambda n: request_file(n, req(f"R{n}"), layout="billing_request|9"), "", {}, "7007"),
    "byte order mark": (lambda n: b"\xef\xbb\xbf" + good(n), "", {}, "7014"),
    "carriage returns": (lambda n: good(n).replace(b"\n", b"\r\n"), "", {}, "70"),
    "ebcdic": (lambda n: good(n).decode().encode("cp037"), "", {}, "70"),
    "utf-16": (lambda n: good(n).decode().encode("utf-16"), "", {}, "70"),
    "too many bad lines": (too_many, "", {}, "7086"),
    "control file: bytes": (good, "", {"bytes": 1}, "7093"),
    "control file: sha256": (good, "", {"sha256": "0" * 64}, "7093"),
    "control file: counts": (good, "", {"records": {"HDR": 1, "REQ": 7, "TRL": 1}}, "7004"),
    "control file: name": (good, "", {"name": "other.dat"}, "7093"),
    "control file: nonsense": (good, "", {"sequence": "many"}, "7092"),
    "gzip cut short": (lambda n: gzip.compress(good(n))[:-9], ".gz", {}, "70"),
    "gzip bomb": (lambda _: gzip.compress(bytes(64 << 20)), ".gz", {}, "70"),
    "zip bomb": (lambda n: zipped((request_name(n), bytes(64 << 20))), ".zip", {}, "70"),
    "zip that leaves its folder": (lambda n: zipped(("../../etc/cron.d/x", good(n))), ".zip", {}, "70"),
    "zip with two members": (lambda n: zipped(("a", good(n)), ("b", good(n))), ".zip", {}, "70"),
    "zip that is none": (good, ".zip", {}, "70"),
}
"""Files that are refused whole: content, wrapper, what is wrong in the control file, beginning of the code."""

LINES: dict[str, tuple[Callable[[int], bytes], str]] = {
    "bad instant": (one_bad(bad(start="yesterday")), "7011"),
    "bad utf-8": (one_bad(lambda n: req(f"BAD{n}").encode().replace(b"up-1", b"up-\xff")), "7013"),
    "quoted field": (one_bad(lambda n: req(f"BAD{n}", start='"2026-02-01"').encode()), "70"),
    "leading zeros lost": (one_bad(bad(manufacturer="ACME", serial="1234567")), "20"),
    "scientific notation": (one_bad(bad(manufacturer="ACME", serial="1.23E+11")), "20"),
    "control character": (one_bad(lambda n: req(f"BAD{n}", "up\x07").encode()), "7016"),
    "same key, other content": (conflict, "7025"),
}
"""Files of which single lines are refused, each named."""


class Night:
    """What one pass over all bad files left."""

    def __init__(self, hub: HubByHand) -> None:
        self.hub = hub
        self.names: dict[str, str] = {}
        hub.offer(reference_name(1), reference_file(1, upt("up-1"), upt("up-2")))
        hub.offer(request_name(1), good(1))
        self.first = hub.amihub("billing", "run", "mass")
        sequence = 1
        for case, (make, wrapper, wrong, _) in WHOLE.items():
            sequence += 1
            self._offer(case, sequence, make(sequence), wrapper, wrong)
        for case, (make_lines, _) in LINES.items():
            sequence += 1
            self._offer(case, sequence, make_lines(sequence), "", {})
        for case, data in (("identical", identical(sequence + 1)), ("empty", request_file(sequence + 2))):
            sequence += 1
            self._offer(case, sequence, data, "", {})
        self._offer("copy", sequence + 1, good(1), "", {})
        self.hub.offer(request_name(1), good(1))
        self.items_before = self.items()
        self.run: Run = hub.amihub("billing", "run", "mass")
        self.ledger = {f["name"]: f for f in json.loads(hub.amihub("files", "list", "--limit", "500", "--json").out)}

    def _offer(self, case: str, sequence: int, data: bytes, wrapper: str, wrong: dict[str, Any]) -> None:
        self.names[case] = f"{request_name(sequence)}{wrapper}"
        self.hub.offer(self.names[case], data, **wrong)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the hub's database from outside."""
        with sqlite3.connect(self.hub.folder / "var" / "hub.db") as connection:
            return connection.execute(sql, values).fetchall()

    def items(self) -> set[str]:
        """Request ids that the hub took on."""
        return {row[0] for row in self.query("SELECT request_id FROM billing_item")}

    def answer(self, case: str) -> dict[str, Any]:
        found = self.hub.answer(self.names[case])
        assert found is not None, f"{case}: no answer; {self.ledger.get(self.names[case])}"
        return found


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with private_sshd(sftp_options=REFUSE_SETSTAT) as server:
        hub = HubByHand(tmp_path_factory.mktemp("bad_files") / "site", server)
        hub.found()
        yield Night(hub)


def test_the_pass_over_bad_files_ends_well_and_says_so(night: Night) -> None:
    assert "Traceback" not in night.first.text + night.run.text
    assert night.run.code == 0, night.run.text
    assert night.hub.lies_in("outbound") == []
    assert "Nothing is parked" not in night.hub.amihub("parked", "list").out


@pytest.mark.parametrize("case", WHOLE)
def test_a_file_that_is_wrong_as_a_whole_is_refused_archived_and_applied_nowhere(night: Night, case: str) -> None:
    answer, name = night.answer(case), night.names[case]

    assert (answer["verdict"], answer["file"]) == ("REJECTED", name)
    assert answer["code"].startswith(WHOLE[case][3])
    assert answer["reason"]
    assert night.ledger[name]["state"] == "rejected"
    sequence = name.split("_")[-2].lstrip("0")
    assert not [key for key in night.items() if key.split("-")[0] == f"R{sequence}"]
    assert name in night.hub.lies_in("outbound/reject")
    kept = night.hub.folder / "var" / "spool" / night.ledger[name].get("path", "")
    assert night.query("SELECT count(*) FROM message WHERE message_id LIKE ? AND state = 'parked'", f"{name}#%") == [
        (1,)
    ]
    assert kept.exists()


@pytest.mark.parametrize("case", LINES)
def test_a_bad_line_is_refused_alone_and_named(night: Night, case: str) -> None:
    answer = night.answer(case)

    refused = [item for item in answer["items"] if item["verdict"] == "REJECTED"]
    assert answer["verdict"] == "ACCEPTED_WITH_ERRORS"
    assert {item["code"][: len(LINES[case][1])] for item in refused} == {LINES[case][1]}
    assert all(item["line"] > 1 and item["reason"] for item in refused)
    accepted = [item for item in answer["items"] if item["verdict"] == "ACCEPTED"]
    assert len(accepted) == (ROOMY - 1 if case == "same key, other content" else ROOMY)
    assert night.names[case] in night.hub.lies_in("outbound/archive")


def test_an_identical_line_is_taken_once_with_a_remark(night: Night) -> None:
    answer = night.answer("identical")

    assert sorted(item["verdict"] for item in answer["items"]) == ["ACCEPTED", "DUPLICATE"]


def test_an_empty_cycle_is_accepted(night: Night) -> None:
    assert (night.answer("empty")["verdict"], night.answer("empty")["items"]) == ("ACCEPTED", [])


def test_the_same_content_under_a_new_name_is_a_duplicate_with_its_own_code(night: Night) -> None:
    answer = night.answer("copy")

    assert (answer["verdict"], answer["code"][5:]) == ("DUPLICATE", "DUPLICATE_CONTENT")


def test_the_same_file_again_gets_a_second_answer_beside_the_first(night: Night) -> None:
    inbound = night.hub.server.files / "inbound"
    stem = request_name(1).removesuffix(".dat")

    first, second = (json.loads((inbound / f"{stem}{end}").read_text()) for end in (".ack", ".2.ack"))

    assert (first["verdict"], second["verdict"], second["code"][5:]) == ("ACCEPTED", "DUPLICATE", "DUPLICATE_FILE")
    assert (second["file"], second["sha256"]) == (request_name(1), sha256(good(1)))


def test_what_was_refused_is_all_that_is_missing_in_the_store(night: Night) -> None:
    assert night.items_before == {"R1"}
    assert not [key for key in night.items() if key.startswith("BAD")]


def late(night: Night, name: str, data: bytes, **how: Any) -> tuple[Run, dict[str, Any] | None]:
    """Offer one more file and run a pass."""
    night.hub.offer(name, data, **how)
    return night.hub.amihub("billing", "run", "mass"), night.hub.answer(name)


def test_future_gap_lower_number_hostile_and_unsteady_files(night: Night) -> None:
    outbound: Path = night.hub.server.files / "outbound"
    hostile = bytes(outbound) + b"/caf\xe9.dat"
    with open(hostile, "wb") as file:
        file.write(b"x")
    night.hub.offer(request_name(500, day="20260303"), request_file(500, req("FUTURE"), day="2026-03-03"))
    night.hub.offer(request_name(400), request_file(400, req("GAP")))
    night.hub.offer(request_name(401), request_file(401, req("UNSTEADY")), control=False)

    run, lower = late(night, request_name(1, revision=1), request_file(1, req("LOWER")))

    ledger = {f["name"]: f for f in json.loads(night.hub.amihub("files", "list", "--limit", "500", "--json").out)}
    assert "Traceback" not in run.text
    assert "not a file name" in run.err
    assert lower is not None
    assert (lower["verdict"], lower["code"][5:]) == ("REJECTED", "SEQUENCE_REGRESSION")
    assert ledger[request_name(500, day="20260303")]["code"][5:] == "BUSINESS_DATE_WRONG"
    assert ledger[request_name(400)]["code"][5:] == "SEQUENCE_GAP"
    assert ledger[request_name(401)]["state"] == "seen"
    assert not {"FUTURE", "GAP", "UNSTEADY", "LOWER"} & night.items()


def test_a_changed_host_key_stops_the_pass_with_one_clear_line(night: Night) -> None:
    night.hub.write_site(host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrCVbPqlj0KFTDQqYXDGF7dJrDtcD5lmyQ0r7HFUg6m")
    try:
        run = night.hub.amihub("billing", "run", "mass")
    finally:
        night.hub.write_site()

    assert run.code == 1
    assert "SFTP_HOST_KEY" in run.err
    assert "What to do:" in run.err
    assert "Traceback" not in run.err
