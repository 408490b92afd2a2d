"""The option sets of published evaluation forms, with their preset coefficients (`domain.md` section 3)."""

from dataclasses import dataclass
from decimal import Decimal

NOT_INFORMED = "not_informed"


@dataclass(frozen=True)
class Option:
    """One choice; `coefficient` in [0, 1] is only a preset, the campaign's formula decides.

    None is the preset for an option that stays out of the denominator, and for those that never score.
    """

    key: str
    label: str
    coefficient: Decimal | None = None


@dataclass(frozen=True)
class OptionSet:
    """Options in the order in which they are shown, best first."""

    key: str
    options: tuple[Option, ...]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(option.key for option in self.options)


def _option_set(key: str, **labels_and_percent: tuple[str, int | None]) -> OptionSet:
    return OptionSet(
        key,
        tuple(
            Option(option, label, None if percent is None else Decimal(percent) / 100)
            for option, (label, percent) in labels_and_percent.items()
        ),
    )


OPTION_SETS = {
    option_set.key: option_set
    for option_set in (
        _option_set(
            "satisfaction4",
            satisfied=("满意", 100),
            basically_satisfied=("基本满意", 75),
            dissatisfied=("不满意", 55),
            not_informed=("不了解", None),
        ),
        _option_set(
            "satisfaction4b",
            satisfied=("满意", 100),
            fairly_satisfied=("比较满意", 80),
            basically_satisfied=("基本满意", 60),
            dissatisfied=("不满意", 40),
        ),
        _option_set(
            "satisfaction5",
            very_satisfied=("非常满意", 100),
            satisfied=("满意", 80),
            basically_satisfied=("基本满意", 60),
            dissatisfied=("不满意", 40),
            very_dissatisfied=("非常不满意", 0),
        ),
        _option_set(
            "grade4", good=("好", 100), fairly_good=("较好", 80), average=("一般", 60), poor=("差", 40)
        ),
        _option_set(
            "competence4",
            excellent=("优秀", 100),
            competent=("称职", 80),
            basically_competent=("基本称职", 60),
            incompetent=("不称职", 0),
        ),
    )
}
