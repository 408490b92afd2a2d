"""The page of a simple questionnaire; everything else is written through the API."""

from typing import Any

from flask import render_template, request

from survey_service.core import clock
from survey_service.core.db import unit_of_work
from survey_service.core.errors import Invalid
from survey_service.core.permissions import current_staff, requires
from survey_service.core.texts import text
from survey_service.questionnaires import service
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.presentation.forms import FormView
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.questionnaires import option_set_choices, questionnaire_asked_for


@pages.route("/questionnaires/new", methods=["GET"])
@requires("questionnaires.write")
def new_questionnaire() -> str:
    """Show the form, with the indicators that many towns use."""
    usual = {name: text(f"staff_pages.usual_{name}") for name in ("title", "indicators")}
    return _form(FormView(usual | {"has_opinion": "1"}))


def _form(form: FormView) -> str:
    return render_template("staff/questionnaire_form.html", form=form, option_sets=option_set_choices())


@pages.route("/questionnaires/new", methods=["POST"])
@requires("questionnaires.write")
def create_questionnaire() -> Any:
    """Store a questionnaire."""
    try:
        body = questionnaire_asked_for(request.form)
        with unit_of_work() as session:
            service.create_questionnaire(session, staff=current_staff(), now=clock.now(), **body)
    except Invalid as error:
        return _form(FormView(request.form, error.errors)), error.status
    return to_page("new_campaign", notice=Notice.QUESTIONNAIRE_CREATED)
