"""The form of a simple questionnaire: one indicator a line, all rated with the same options."""

from collections.abc import Mapping

from survey_service.core.errors import Invalid
from survey_service.core.texts import text
from survey_service.questionnaires.option_sets import OPTION_SETS
from survey_service.questionnaires.schemas import QuestionnaireIn
from survey_service.reports.presentation.forms import Body, Choice, load

OPINION_LENGTH = 500


def option_set_choices() -> list[Choice]:
    return [
        Choice(key, " / ".join(option.label for option in option_set.options))
        for key, option_set in OPTION_SETS.items()
    ]


def questionnaire_asked_for(values: Mapping[str, str]) -> Body:
    """Return what the form asks of the service; raises Invalid."""
    lines = [line.strip() for line in values.get("indicators", "").splitlines() if line.strip()]
    if not lines:
        raise Invalid(errors={"indicators": [text("schema.required")]})
    option_set = values.get("option_set", "")
    items = [_indicator(number, line, option_set) for number, line in enumerate(lines, start=1)]
    if values.get("has_opinion"):
        items.append({"key": "opinion", "kind": "text", "text": text("staff_pages.opinion_item")})
        items[-1]["max_length"] = OPINION_LENGTH
    return load(QuestionnaireIn(), {"title": values.get("title", "").strip(), "items": items})


def _indicator(number: int, line: str, option_set: str) -> Body:
    return {
        "key": f"i{number}",
        "kind": "rating",
        "text": line,
        "option_set": option_set,
        "weight": "1",
        "required": True,
    }
