"""Medians of rounds, and ratios that were taken round by round, so that a slow moment of the machine hits both sides."""

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Series:
    """The rounds of one server."""
    name: str
    rounds: list = field(default_factory=list)

    def median_of(self, measure):
        return median(getattr(one, measure) for one in self.rounds)

    def ratio_to(self, other, measure):
        return median(getattr(own, measure) / getattr(theirs, measure)
                      for own, theirs in zip(self.rounds, other.rounds, strict=True))


@dataclass
class Target:
    """One line of what must hold."""
    what: str
    wanted: str
    got: str
    met: bool


@dataclass
class Table:
    """What one scenario found."""
    title: str
    what: str  # one paragraph: what was measured and how
    columns: list
    rows: list
    targets: list = field(default_factory=list)
    notes: list = field(default_factory=list)


def percentile(values, part):
    """The value that `part` percent of them do not exceed."""
    return sorted(values)[max(-(-len(values) * part // 100), 1) - 1]


def at_least(what, limit, got, unit="×"):
    digits = 2 if unit == "×" else 0
    return Target(what, f"at least {limit:,g} {unit}", f"{got:,.{digits}f} {unit}", got >= limit)


def at_most(what, limit, got, unit="×"):
    digits = 2 if got < 10 else 0
    return Target(what, f"at most {limit:g} {unit}", f"{got:.{digits}f} {unit}", got <= limit)


def note_if_wrk_was_full(table, rounds):
    fullest = max(one.wrk_cpu_share for one in rounds)
    if fullest > 0.9:
        table.notes.append(f"wrk used {fullest:.0%} of each core it had: the fastest server may be faster than shown.")
