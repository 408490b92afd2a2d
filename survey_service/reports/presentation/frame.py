"""The frame around every staff page: the viewer, where he may go, and refusals as pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from survey_service.ballots.presentation import Action, Message
from survey_service.core.errors import ServiceError
from survey_service.core.texts import text
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import is_allowed

CAMPAIGNS_URL = "/staff/campaigns"
ACCOUNTS_URL = "/staff/accounts"
SECTIONS = {
    "campaigns": "campaigns.read",
    "clear-letters": "clear_letters.read",
    "opinions": "opinions.read",
    "ratings": "ratings.read",
    "visits": "visits.assist",
    "organizations": "organizations.read",
    "accounts": "staff.read",
    "webhooks": "webhooks.manage",
    "audit": "audit.read",
}
"""The sections of the pages, each with the permission that opens it."""

_KINDS_OF_REFUSALS = frozenset(
    {"forbidden", "not_found", "not_released", "page_expired", "unavailable", "slow_down"}
)


class Notice(StrEnum):
    """What a page says after it was reached by a form that did something."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a key of the catalogue, no password.
    SIGNED_OUT = "signed_out"
    PHONE_BOUND = "phone_bound"
    PHONE_UNBOUND = "phone_unbound"
    DESKTOP_EXPIRED = "desktop_expired"
    CAMPAIGN_CREATED = "campaign_created"
    CAMPAIGN_LAUNCHED = "campaign_launched"
    CAMPAIGN_CLOSED = "campaign_closed"
    CAMPAIGN_SEALED = "campaign_sealed"
    CAMPAIGN_WITHDRAWN = "campaign_withdrawn"
    CAMPAIGN_CORRECTED = "campaign_corrected"
    REMINDERS_SWITCHED = "reminders_switched"
    ENTRANCES_CREATED = "entrances_created"
    CODES_MADE = "codes_made"
    CODES_HANDED_OUT = "codes_handed_out"
    CODES_REVOKED = "codes_revoked"
    CODES_REISSUED = "codes_reissued"
    QUESTIONNAIRE_CREATED = "questionnaire_created"
    EXCLUSION_PROPOSED = "exclusion_proposed"
    EXCLUSION_CONFIRMED = "exclusion_confirmed"
    EXCLUSION_DECLINED = "exclusion_declined"
    DISPUTES_DECIDED = "disputes_decided"
    RATING_OPENED = "rating_opened"
    SHEET_SAVED = "sheet_saved"
    SHEET_SUBMITTED = "sheet_submitted"
    SHEET_RETURNED = "sheet_returned"
    RECORD_NOTED = "record_noted"
    STEP_COMPLETED = "step_completed"
    STEP_SENT_BACK = "step_sent_back"
    GRADE_DECIDED = "grade_decided"
    PAPER_OPENED = "paper_opened"
    PAPER_SAVED = "paper_saved"
    PAPER_FINISHED = "paper_finished"
    PAPER_SETTLED = "paper_settled"
    PAPER_CLOSED = "paper_closed"
    PAPER_DISCARDED = "paper_discarded"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_APPROVED = "account_approved"
    ACCOUNT_UNLOCKED = "account_unlocked"
    SESSIONS_ENDED = "sessions_ended"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    OPINION_SORTED = "opinion_sorted"
    OPINION_MOVED = "opinion_moved"
    OPINION_KEYED = "opinion_keyed"
    BOX_OPENED = "box_opened"
    BOX_REVOKED = "box_revoked"
    SECOND_FACTOR_OFF = "second_factor_off"
    LETTER_CREATED = "letter_created"
    LETTER_SAVED = "letter_saved"
    LETTER_SUBMITTED = "letter_submitted"
    LETTER_PUBLISHED = "letter_published"
    LETTER_SENT_BACK = "letter_sent_back"
    LETTER_WITHDRAWN = "letter_withdrawn"
    WARNING_ANSWERED = "warning_answered"
    STATIONS_SAVED = "stations_saved"
    SCHEME_SAVED = "scheme_saved"
    WEBHOOK_PAUSED = "webhook_paused"
    WEBHOOK_RESUMED = "webhook_resumed"
    WEBHOOK_DELETED = "webhook_deleted"
    MESSAGE_QUEUED = "message_queued"


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool = False
    badge: int = 0
    """Warnings that wait in the section."""


@dataclass(frozen=True)
class Viewer:
    """Who is looking, the sections that his role opens, and by section how many warnings wait for him."""

    name: str
    role: str
    organization: str
    links: Sequence[Link]
    badges: Mapping[str, int]


def viewer_of(account: StaffAccount, *, path: str, badges: Mapping[str, int]) -> Viewer:
    links = [
        Link(
            text(f"staff_pages.section_{section}"),
            f"/staff/{section}",
            path.startswith(f"/staff/{section}"),
            badges.get(section, 0),
        )
        for section, permission in SECTIONS.items()
        if is_allowed(account.role, permission)
    ]
    role = text(f"staff.role_{account.role}")
    return Viewer(account.display_name, role, account.organization.name, links, badges)


def notice_sentence(given: str) -> str:
    """Return the sentence of a notice; anything else in the address says nothing."""
    return text(f"staff_pages.notice_{given}") if given in set(Notice) else ""


def home_of(role: str) -> str:
    """Return the first page of a role: administrators of system and security see no campaigns."""
    is_outside = bool(role) and not is_allowed(role, SECTIONS["campaigns"])
    return ACCOUNTS_URL if is_outside else CAMPAIGNS_URL


def staff_message(error: ServiceError, *, role: str = "") -> Message:
    """Return the page for a refusal that a staff page meets; no role is a stranger's."""
    kind = error.code if error.code in _KINDS_OF_REFUSALS else "refused"
    found = [sentence for sentences in error.errors.values() for sentence in sentences]
    return Message(
        kind=kind,
        heading=text(f"staff_pages.message_{kind}"),
        sentence=" ".join([error.detail, *found]),
        actions=[Action(text("staff_pages.to_home"), home_of(role), is_primary=True)],
        retry_after=error.retry_after,
        status=int(error.status),
    )
