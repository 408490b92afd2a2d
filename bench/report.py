"""What is found, and how it is written down: a table of targets, and the figures behind it."""

import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Spread:
    """A figure of several rounds."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        return cls(tuple(values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def shown(self, places: int = 0) -> str:
        """Write the median and, of several rounds, the extremes."""
        numbers = (self.median, min(self.values), max(self.values))
        middle, low, high = (f"{number:,.{places}f}" for number in numbers)
        return f"{middle} ({low}–{high})" if len(self.values) > 1 else middle


@dataclass(frozen=True)
class Target:
    """One line of the first table; `is_met` None where nothing was asked for or nothing could be measured."""

    what: str
    wanted: str
    measured: str
    is_met: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "yes", False: "**no**", None: "–"}[self.is_met]


@dataclass(frozen=True)
class Table:
    """Figures behind a target."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """What one measurement found."""

    targets: Sequence[Target]
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Setting:
    """Under which circumstances everything was measured."""

    started_at: datetime
    is_quick: bool
    database: str
    commit_ms: Spread
    lines: Sequence[str] = field(default_factory=tuple)


def describe_machine() -> str:
    """Say in one line what machine this is and how busy it is."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({_processor()}), {gigabytes:.0f} GB of memory, "
        f"Linux {platform.release()}, Python {platform.python_version()}; "
        f"load average {load:.1f} at the start"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def at_least(what: str, wanted: float, ratios: Spread, *, than: str) -> Target:
    """Compare a ratio with the least that is wanted."""
    return Target(
        what,
        f"≥ {wanted:.1f} × {than}",
        f"{ratios.shown(2)} ×",
        ratios.median >= wanted,
    )


def at_most(what: str, wanted: float, figure: Spread, *, unit: str, places: int = 0) -> Target:
    """Compare a figure with the most that is wanted."""
    return Target(
        what,
        f"≤ {wanted:g} {unit}",
        f"{figure.shown(places)} {unit}",
        figure.median <= wanted,
    )


def _lines_of(table: Table) -> list[str]:
    lines = [" | ".join(table.headings), " | ".join("---" for _ in table.headings)]
    lines += [" | ".join(row) for row in table.rows]
    return [f"| {line} |" for line in lines]


def write_targets(sections: Sequence[Section]) -> list[str]:
    """Return the first table as Markdown lines."""
    rows = [
        (target.what, target.wanted, target.measured, target.verdict)
        for section in sections
        for target in section.targets
    ]
    return _lines_of(Table("", ("what", "wanted", "measured, median (lowest–highest)", "reached"), rows))


def write_report(setting: Setting, sections: Sequence[Section]) -> str:
    """Return the whole report as Markdown."""
    kind = " (quick: short rounds and little data, only to see that it runs)" if setting.is_quick else ""
    lines = ["# Benchmark", "", f"Measured on {setting.started_at:%Y-%m-%d}{kind}.", ""]
    lines += [f"- {line}" for line in setting.lines]
    lines += [
        f"- {setting.database} with its default settings (fsync and synchronous_commit on), reached through "
        f"its Unix socket; one durable commit of one row takes {setting.commit_ms.shown(2)} ms",
        "",
        *write_targets(sections),
    ]
    for section in sections:
        for table in section.tables:
            lines += ["", f"## {table.title}", "", *_lines_of(table)]
        for note in section.notes:
            lines += ["", note]
    return "\n".join(lines) + "\n"


Say = Callable[[str], None]
