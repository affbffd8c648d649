"""What persons decide in the rollout: they look at what is open, and say so by the hub's commands."""

from typing import Any

from simulators.demo_processes import DemoError, Processes
from simulators.rollout_boxes import FREED
from simulators.rollout_truth import Exchange, Truth

DESK = "rosa.rollout"
"""Who decides on deviations."""

LOOKED = {"wrong-name-looked-at": "EX05", "export-unmeasured": "EX07"}
"""Rules whose finding a person lets pass, by the name of the trouble."""


class People:
    """The persons of the rollout."""

    def __init__(self, processes: Processes, truth: Truth) -> None:
        """They work with running systems."""
        self._processes, self._truth = processes, truth

    def free_a_lot(self) -> str:
        """Say that a lot which failed its test may be hung."""
        if not self._of("lot-freed"):
            return "no lot is looked at"
        self._processes.amihub("shipments", "release", FREED, "--by", DESK, "--reason", "tested again, all passed")
        return f"lot {FREED} was tested again: {DESK} releases it"

    def let_pass(self) -> str:
        """Let findings pass that were looked at."""
        found = [(one, rule) for name, rule in LOOKED.items() for one in self._of(name)]
        for one, rule in found:
            result = self._result_of(one)
            self._processes.amihub("rollout", "confirm", result, "--rule", rule, "--by", DESK, "--reason", "photo")
        return f"{len(found)} findings are looked at, and pass"

    def uncross(self) -> str:
        """Look at the preview of each cycle that is corrected, and confirm it."""
        cases = [case for case in self._truth.cases if case.kind.code == "8009" and case.kind.is_over]
        for case in cases:
            points = ",".join(one.point.usage_point for one in self._truth.members(case))
            preview = self._processes.amihub("rollout", "correct", "--cross", points)
            if "nothing was changed yet" not in preview:
                raise DemoError(f"no preview of {points}: {preview}")
            self._processes.amihub(
                "rollout", "correct", "--cross", points, "--confirm", "--by", DESK, "--reason", "sheets were mixed up"
            )
        return f"{len(cases)} cycles of cross-installed meters are corrected, each at once"

    def _of(self, name: str) -> list[Exchange]:
        return [one for one in self._truth.visits if one.kind is not None and one.kind.name == name]

    def _result_of(self, one: Exchange) -> str:
        """Return the id of the completion that is held at a usage point."""
        said = self._processes.report("explain", "rollout", "explain", one.point.usage_point, "--json")
        found = [each["result_id"] for each in _results(said) if each.get("state") == "HELD"]
        if len(found) != 1:
            raise DemoError(f"{len(found)} completions are held at {one.point.name}")
        return str(found[0])


def _results(said: Any) -> list[dict[str, Any]]:
    """Return whatever bears the id of a completion in an explanation."""
    if isinstance(said, list):
        return [each for one in said for each in _results(one)]
    if not isinstance(said, dict):
        return []
    own = [said] if "result_id" in said and "outcome" in said else []
    return own + [each for one in said.values() for each in _results(one)]
