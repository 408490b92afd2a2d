"""From a checked document to the scheme that the rules work with."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from survey_service.organizations.rules import OrganizationKind, SubjectKind
from survey_service.ratings.rules import (
    Adjustment,
    Adjustments,
    Band,
    Cap,
    Indicator,
    LookBack,
    MassRule,
    Quota,
    Restriction,
    Reward,
    Scheme,
    Step,
)
from survey_service.ratings.vocabulary import (
    Boundary,
    Level,
    MassRole,
    Measure,
    RestrictionKind,
    Source,
    StepKind,
    WhenMissing,
)

Document = Mapping[str, Any]


def scheme_of(document: Document) -> Scheme:
    """Return the scheme that a checked document describes; numbers are texts in it."""
    return Scheme(
        code=document["code"],
        version=document["version"],
        title=document["title"],
        subject_kind=SubjectKind(document["subject"]["kind"]),
        fields=_titles(document.get("fields")),
        field_of_kind={
            OrganizationKind(kind): one["code"]
            for one in document.get("fields", ())
            for kind in one.get("kinds", ())
        },
        indicators=tuple(_indicator(one) for one in document["indicators"]),
        bands=tuple(Band(one["grade"], one["title"], Fraction(one["min"])) for one in document["bands"]),
        steps=tuple(_step(one) for one in document["steps"]),
        counts=tuple(Level(level) for level in document["counts"]),
        maximum=Fraction(document["scale"]["maximum"]),
        boundary=Boundary(document["scale"]["boundary"]),
        mass=_mass(document["mass"]),
        bonus=_adjustments(document.get("bonus")),
        penalty=_adjustments(document.get("penalty")),
        restrictions=tuple(_restriction(one) for one in document.get("restrictions", ())),
        caps=tuple(
            Cap(Measure(one["measure"]), Fraction(one["below"]), one["at_most"])
            for one in document.get("caps", ())
        ),
        quotas=tuple(_quota(one) for one in document.get("quotas", ())),
        downgrade_triggers=_titles(document.get("downgrade", {}).get("triggers")),
        look_back=_look_back(document.get("look_back")),
        rewards=tuple(_reward(one) for one in document.get("rewards", ())),
        phases={one["year"]: one["title"] for one in document.get("phases", ())},
    )


def _titles(items: Sequence[Document] | None) -> dict[str, str]:
    return {one["code"]: one["title"] for one in items or ()}


def _indicator(document: Document) -> Indicator:
    points = document.get("points")
    return Indicator(
        code=document["code"],
        title=document["title"],
        points=None if points is None else Fraction(points),
        source=Source(document.get("source", Source.POINTS)),
        options={one["code"]: Fraction(one["share"]) for one in document.get("options", ())},
        checks=tuple(one["code"] for one in document.get("checks", ())),
        fields=frozenset(document.get("fields", ())),
        children=tuple(_indicator(one) for one in document.get("children", ())),
        wants_evidence=document.get("evidence", False),
        scored_by=frozenset(map(Level, document.get("scored_by", ()))),
    )


def _step(document: Document) -> Step:
    return Step(
        code=document["code"],
        title=document["title"],
        kind=StepKind(document["kind"]),
        by=Level(document["by"]),
        actor=document.get("actor", ""),
        decides=document.get("decides", False),
        days=document.get("days"),
        on_site=frozenset(document.get("on_site") or ()),
    )


def _mass(document: Document) -> MassRule:
    return MassRule(
        MassRole(document["role"]), Measure(document["measure"]), WhenMissing(document["when_missing"])
    )


def _adjustments(document: Document | None) -> Adjustments:
    if document is None:
        return Adjustments()
    items = (Adjustment(one["code"], one["title"], Fraction(one["points"])) for one in document["items"])
    cap = document.get("cap")
    return Adjustments(tuple(items), None if cap is None else Fraction(cap))


def _restriction(document: Document) -> Restriction:
    kind = RestrictionKind(document["kind"])
    return Restriction(document["code"], document["title"], kind, frozenset(document["grades"]))


def _quota(document: Document) -> Quota:
    is_maximum = document.get("max_percent") is not None
    percent = document["max_percent" if is_maximum else "min_percent"]
    return Quota(document["grade"], Fraction(percent), is_maximum=is_maximum)


def _look_back(document: Document | None) -> LookBack | None:
    return None if document is None else LookBack(frozenset(document["grades"]), document["in_year"])


def _reward(document: Document) -> Reward:
    return Reward(
        code=document["code"],
        title=document["title"],
        unit=document["unit"],
        amounts={grade: Fraction(amount) for grade, amount in document["amounts"].items()},
        field_code=document.get("field"),
        times=document.get("times", 1),
    )
