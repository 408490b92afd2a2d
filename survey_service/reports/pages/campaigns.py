"""The pages of running a campaign: list, create, copy, launch, correct, close."""

from typing import Any

from flask import Response, current_app, g, redirect, render_template, request

from survey_service.ballots.service import withdraw_unused_campaign
from survey_service.campaigns import service as campaigns
from survey_service.campaigns.queries import get_campaign, path_of_campaign
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Invalid
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.entrances.service import create_preview
from survey_service.reminders import service as reminders
from survey_service.reminders.queries import list_standing
from survey_service.reports import service
from survey_service.reports.campaigns import check_launch, read_method, read_setup
from survey_service.reports.duties import read_duties
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.pages.results import CAMPAIGN
from survey_service.reports.presentation.campaigns import (
    campaign_asked_for,
    campaign_form_page,
    confirm_page,
    copy_asked_for,
    correction_asked_for,
    draft_values,
    launch_page,
    local_input,
    method_page,
    new_campaign_values,
)
from survey_service.reports.presentation.duties import duty_lines
from survey_service.reports.presentation.forms import FormView
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.turnout import campaign_card, reminder_card
from survey_service.sealing.running import seal_campaign
from survey_service.staff.rules import Role


@pages.route("/campaigns", methods=["GET"])
@requires("campaigns.read")
def list_campaigns() -> str:
    """List what waits for somebody, and the campaigns of one's own sub-tree, the newest first."""
    now, staff = clock.now(), current_staff()
    with reading() as session:
        found = service.list_campaigns(session, staff=staff, now=now)
        standing = list_standing(session, staff=staff, now=now)
        waiting = read_duties(session, staff=staff, today=clock.local_day(now))
    cards = [campaign_card(summary, now=now) for summary in reversed(found)]
    shown = [reminder_card(one) for one in standing]
    lines = duty_lines(waiting, warnings=g.viewer.badges.get("opinions", 0))
    return render_template("staff/campaigns.html", campaigns=cards, reminders=shown, duties=lines)


@pages.route("/campaigns/new", methods=["GET"])
@requires("campaigns.write")
def new_campaign() -> str:
    """Show the form of a new campaign."""
    return _campaign_form(FormView(new_campaign_values(clock.now())))


def _campaign_form(form: FormView, *, campaign_id: int | None = None) -> str:
    has_wechat = current_app.extensions["settings"].wechat_app_id is not None
    with reading() as session:
        setup = read_setup(session, staff=current_staff())
    page = campaign_form_page(setup, form, campaign_id=campaign_id, has_wechat=has_wechat)
    return render_template("staff/campaign_form.html", page=page)


@pages.route("/campaigns/new", methods=["POST"])
@requires("campaigns.write")
def create_campaign() -> Any:
    """Store a draft."""
    try:
        body = campaign_asked_for(request.form)
        with unit_of_work() as session:
            staff, keyring, now = current_staff(), current_keyring(), clock.now()
            created = campaigns.create_campaign(session, staff=staff, keyring=keyring, now=now, **body)
    except Invalid as error:
        return _campaign_form(FormView(request.form, error.errors)), error.status
    return to_page("show_method", campaign_id=created.id, notice=Notice.CAMPAIGN_CREATED)


@pages.route(f"{CAMPAIGN}/edit", methods=["GET"])
@requires("campaigns.write", path_of_campaign)
def edit_draft(campaign_id: int) -> str:
    """Show the form of a draft."""
    with reading() as session:
        method = read_method(session, staff=current_staff(), campaign_id=campaign_id)
    return _campaign_form(FormView(draft_values(method)), campaign_id=campaign_id)


@pages.route(f"{CAMPAIGN}/edit", methods=["POST"])
@requires("campaigns.write", path_of_campaign)
def replace_draft(campaign_id: int) -> Any:
    """Put the filled form in the place of a draft."""
    try:
        body = campaign_asked_for(request.form)
        with unit_of_work() as session:
            campaigns.replace_draft(session, staff=current_staff(), campaign_id=campaign_id, **body)
    except Invalid as error:
        form = FormView(request.form, error.errors)
        return _campaign_form(form, campaign_id=campaign_id), error.status
    return to_page("show_method", campaign_id=campaign_id, notice=Notice.CAMPAIGN_CREATED)


@pages.route(f"{CAMPAIGN}/method", methods=["GET"])
@requires("campaigns.read")
def show_method(campaign_id: int) -> str:
    """Show what a campaign has decided, and what can be done with it."""
    staff = current_staff()
    with reading() as session:
        method = read_method(session, staff=staff, campaign_id=campaign_id)
    page = method_page(method, role=Role(staff.role), now=clock.now())
    return render_template("staff/method.html", page=page)


@pages.route(f"{CAMPAIGN}/reminders", methods=["POST"])
@requires("campaigns.correct", path_of_campaign)
def switch_reminders(campaign_id: int) -> Response:
    """Switch the weekly reminders of secretaries on or off."""
    is_on = request.form.get("is_on") == "1"
    with unit_of_work() as session:
        reminders.switch_reminders(session, campaign_id=campaign_id, is_on=is_on, now=clock.now())
    return to_page("show_method", campaign_id=campaign_id, notice=Notice.REMINDERS_SWITCHED)


@pages.route(f"{CAMPAIGN}/copy", methods=["GET"])
@requires("campaigns.write", path_of_campaign)
def ask_for_copy(campaign_id: int) -> str:
    """Show the form of a copy."""
    values = new_campaign_values(clock.now())
    return _form_about(campaign_id, "copy", FormView(values))


def _form_about(campaign_id: int, act: str, form: FormView) -> str:
    with reading() as session:
        campaign = get_campaign(session, campaign_id)
    return render_template(f"staff/{act}_form.html", campaign=campaign, form=form)


@pages.route(f"{CAMPAIGN}/copy", methods=["POST"])
@requires("campaigns.write", path_of_campaign)
def copy_campaign(campaign_id: int) -> Any:
    """Make a draft like this campaign, with new times."""
    place: dict[str, Any] = {"staff": current_staff(), "keyring": current_keyring(), "now": clock.now()}
    try:
        body = copy_asked_for(request.form)
        with unit_of_work() as session:
            copy = campaigns.copy_campaign(session, campaign_id=campaign_id, **place, **body)
    except Invalid as error:
        return _form_about(campaign_id, "copy", FormView(request.form, error.errors)), error.status
    return to_page("show_method", campaign_id=copy.id, notice=Notice.CAMPAIGN_CREATED)


@pages.route(f"{CAMPAIGN}/correct", methods=["GET"])
@requires("campaigns.correct", path_of_campaign)
def ask_for_correction(campaign_id: int) -> str:
    """Show the form of a correction."""
    with reading() as session:
        campaign = get_campaign(session, campaign_id)
    values = {"title": campaign.title, "notice": campaign.notice}
    form = FormView(values | {"closes_at": local_input(campaign.closes_at)})
    return render_template("staff/correct_form.html", campaign=campaign, form=form)


@pages.route(f"{CAMPAIGN}/correct", methods=["POST"])
@requires("campaigns.correct", path_of_campaign)
def correct_campaign(campaign_id: int) -> Any:
    """Correct the title, the notice or the closing time, with a reason."""
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id, "now": clock.now()}
    try:
        with unit_of_work() as session:
            body = correction_asked_for(request.form, get_campaign(session, campaign_id))
            campaigns.correct_campaign(session, **place, **body)
    except Invalid as error:
        return _form_about(campaign_id, "correct", FormView(request.form, error.errors)), error.status
    return to_page("show_method", campaign_id=campaign_id, notice=Notice.CAMPAIGN_CORRECTED)


@pages.route(f"{CAMPAIGN}/launch", methods=["GET"])
@requires("campaigns.launch", path_of_campaign)
def ask_for_launch(campaign_id: int) -> str:
    """Show what a launch would lock, and what it would warn of."""
    staff = current_staff()
    with reading() as session:
        check = check_launch(session, staff=staff, campaign_id=campaign_id)
    page = launch_page(check, role=Role(staff.role), now=clock.now())
    return render_template("staff/launch.html", page=page)


@pages.route(f"{CAMPAIGN}/launch", methods=["POST"])
@requires("campaigns.launch", path_of_campaign)
def launch_campaign(campaign_id: int) -> Response:
    """Freeze the formula, the form and the subjects, and open the campaign."""
    with unit_of_work() as session:
        campaigns.launch_campaign(session, campaign_id=campaign_id, now=clock.now())
    return to_page("show_method", campaign_id=campaign_id, notice=Notice.CAMPAIGN_LAUNCHED)


@pages.route(f"{CAMPAIGN}/close", methods=["GET"])
@requires("campaigns.close", path_of_campaign)
def ask_for_close(campaign_id: int) -> str:
    """Ask before the window ends."""
    return _confirm(campaign_id, "close")


def _confirm(campaign_id: int, act: str) -> str:
    with reading() as session:
        page = confirm_page(get_campaign(session, campaign_id), act)
    return render_template("staff/confirm.html", page=page)


@pages.route(f"{CAMPAIGN}/close", methods=["POST"])
@requires("campaigns.close", path_of_campaign)
def close_campaign(campaign_id: int) -> Response:
    """End the window."""
    with unit_of_work() as session:
        campaigns.close_campaign(session, campaign_id=campaign_id, now=clock.now())
    return to_page("show_campaign", campaign_id=campaign_id, notice=Notice.CAMPAIGN_CLOSED)


@pages.route(f"{CAMPAIGN}/seal", methods=["GET"])
@requires("campaigns.seal", path_of_campaign)
def ask_for_seal(campaign_id: int) -> str:
    """Ask before a campaign is sealed."""
    return _confirm(campaign_id, "seal")


@pages.route(f"{CAMPAIGN}/seal", methods=["POST"])
@requires("campaigns.seal", path_of_campaign)
def seal(campaign_id: int) -> Response:
    """Seal a closed campaign; after an interruption the worker goes on, or the same button does."""
    seal_campaign(campaign_id, staff=current_staff())
    return to_page("show_method", campaign_id=campaign_id, notice=Notice.CAMPAIGN_SEALED)


@pages.route(f"{CAMPAIGN}/withdraw", methods=["GET"])
@requires("campaigns.withdraw", path_of_campaign)
def ask_for_withdrawal(campaign_id: int) -> str:
    """Ask before a campaign is withdrawn."""
    return _confirm(campaign_id, "withdraw")


@pages.route(f"{CAMPAIGN}/withdraw", methods=["POST"])
@requires("campaigns.withdraw", path_of_campaign)
def withdraw_campaign(campaign_id: int) -> Response:
    """Withdraw a campaign in which nobody has voted yet."""
    with unit_of_work() as session:
        withdraw_unused_campaign(session, campaign_id=campaign_id, now=clock.now())
    return to_page("list_campaigns", notice=Notice.CAMPAIGN_WITHDRAWN)


@pages.route(f"{CAMPAIGN}/preview", methods=["POST"])
@requires("entrances.create", path_of_campaign)
def preview_campaign(campaign_id: int) -> Any:
    """Show the form as voters will see it; what is sent from there never counts."""
    place: dict[str, Any] = {"staff": current_staff(), "keyring": current_keyring()}
    code = request.form.get("organization_code", "")
    with unit_of_work() as session:
        preview = create_preview(session, campaign_id=campaign_id, organization_code=code, **place)
    return redirect(preview.path, 303)
