"""The pages of what many opinions say together: the overview, its forms, and the search."""

from flask import Response, render_template, request

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Invalid
from survey_service.core.permissions import current_staff, requires
from survey_service.insights import queries, service
from survey_service.insights.figures import Period, read_figures
from survey_service.insights.schemas import JoinGroupIn, period_of
from survey_service.insights.search import FoundPage, search_opinions
from survey_service.opinions.policy import current_policy
from survey_service.reports.pages.frame import cursor, pages, to_page
from survey_service.reports.presentation.forms import load
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.insights import overview_page, search_page


@pages.route("/opinions/overview", methods=["GET"])
@requires("insights.read")
def show_overview() -> str:
    """Show warnings, groups, words and figures of one's own places."""
    staff, today = current_staff(), clock.local_day(clock.now())
    since, until = period_of(None, None, today)
    with reading() as session:
        page = overview_page(
            looked_at=queries.last_look(session),
            warnings=queries.list_warnings(session, staff=staff),
            groups=queries.list_groups(session, staff=staff),
            words=queries.list_words(session, path=staff.path),
            figures=read_figures(session, path=staff.path, period=Period(since, until, today)),
        )
    return render_template("staff/opinion_overview.html", page=page)


@pages.route("/opinions/warnings/<int:warning_id>", methods=["POST"])
@requires("insights.read")
def see_opinion_warning(warning_id: int) -> Response:
    """Write down that one has seen a warning."""
    with unit_of_work() as session:
        service.see_warning(session, staff=current_staff(), warning_id=warning_id, now=clock.now())
    return to_page("show_overview")


@pages.route("/opinions/groups/<int:first_id>", methods=["POST"])
@requires("opinions.triage")
def join_opinion_group(first_id: int) -> Response:
    """Join the chosen opinions of a group."""
    chosen = load(JoinGroupIn(), {"opinion_ids": request.form.getlist("opinion_ids")})
    with unit_of_work() as session:
        service.join_group(
            session,
            staff=current_staff(),
            first_id=first_id,
            policy=current_policy(),
            now=clock.now(),
            **chosen,
        )
    return to_page("show_overview", notice=Notice.OPINION_MOVED)


@pages.route("/opinions/search", methods=["GET"])
@requires("opinions.read")
def search_for_opinions() -> tuple[str, int]:
    """Look for words in the opinions that one may see."""
    words = request.args.get("words", "").strip()
    found, problem = FoundPage((), None), ""
    with reading() as session:
        try:
            if words:
                found = search_opinions(session, staff=current_staff(), words=words, after=cursor())
        except Invalid as error:
            problem = error.errors["words"][0]
        page = search_page(words, found, problem)
    return render_template("staff/opinion_search.html", page=page), Invalid.status if problem else 200
