"""One billing pass without Airflow: the same steps in the same order, with the relay at the end."""

from dataclasses import dataclass

from flows.billing_exchange import Advanced, HandedOn, TakenIn, Verdict
from flows.delivery import RelayReport
from services import billing_pass
from services.hub import Hub
from services.relay import drain


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did."""

    taken: TakenIn
    advanced: tuple[Advanced, ...]
    handed: HandedOn
    relayed: RelayReport
    verdict: Verdict

    @property
    def is_quiet(self) -> bool:
        """Whether the pass brought nothing new."""
        moved = sum(one.items - one.waiting for one in self.advanced)
        return not (self.taken.files or moved or self.handed.parts or self.handed.notices or self.relayed.carried)

    @property
    def text(self) -> str:
        """One line for people."""
        t, h, v = self.taken, self.handed, self.verdict
        ready = sum(one.ready + one.estimated for one in self.advanced)
        away = [one.problem for one in self.advanced if one.problem]
        problems = "".join(f"\n  ! {problem}" for problem in (*t.problems, *away))
        return (
            f"{v.interface}: {t.files} files, {t.accepted} of {t.items} items accepted, {ready} ready, "
            f"{sum(a.held for a in self.advanced)} held, {len(h.parts)} parts with {h.items} items ({h.kwh}), "
            f"{h.corrections} corrections, {h.notices} bills told; {v.unanswered} unanswered, "
            f"{v.at_risk_kwh} at risk, next due {v.next_due or 'nothing'}{problems}"
        )


def run_pass(hub: Hub, interface: str) -> Pass:
    """Run one pass of an interface.

    Raises:
        UnavailableError: a partner is away; what was done stays done.
    """
    taken = billing_pass.take_in(hub, interface)
    advanced = tuple(billing_pass.advance(hub, interface, batch) for batch in billing_pass.plan(hub, interface))
    handed = billing_pass.hand_on(hub, interface)
    relayed = drain(hub)
    return Pass(taken, advanced, handed, relayed, billing_pass.verdict(hub, interface))
