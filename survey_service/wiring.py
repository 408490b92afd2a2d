"""The whole flow on one page: which event starts which jobs, and what the sweeps look for."""

from collections.abc import Mapping, Sequence

from survey_service.auditing.jobs import send_audit_head
from survey_service.ballots.rules import BallotCast
from survey_service.campaigns.rules import CampaignClosed
from survey_service.clear_letters.jobs import store_readings
from survey_service.clear_letters.readings import LettersRead
from survey_service.clear_letters.rules import LetterPublished, LetterWithdrawn
from survey_service.core.events import Event
from survey_service.core.jobs import Job
from survey_service.entrances.jobs import sweep_batch_keys
from survey_service.entrances.rules import KeysDestroyed, SlotsChanged
from survey_service.insights.jobs import index_changed, index_new, sweep_insights
from survey_service.mass_evaluation.jobs import score_changed, score_everything, sweep_scores
from survey_service.mass_evaluation.rules import MassScoreChanged
from survey_service.opinions.jobs import (
    follow_letter,
    stir_allowances,
    sweep_allowances,
    sweep_author_acts,
    sweep_letters,
    sweep_texts,
    take_in_texts,
)
from survey_service.opinions.rules import OpinionMoved, OpinionReceived
from survey_service.paper_entry.rules import PaperCounted
from survey_service.print_runs.jobs import drop_parts, print_parts, renew_parts, sweep_printing
from survey_service.print_runs.rules import PrintingWaits
from survey_service.ratings.jobs import refresh_draft, sweep_drafts, sweep_warnings, take_in_scores
from survey_service.ratings.rules import RatingChanged
from survey_service.reminders.jobs import sweep_reminders
from survey_service.retention.jobs import sweep_retention
from survey_service.sealing.jobs import sweep_sealings
from survey_service.sealing.rules import CampaignSealed
from survey_service.tallies.jobs import rebuild_dirty, sweep_dirty
from survey_service.tallies.rules import SubjectMarked, TallyRebuilt
from survey_service.webhooks.jobs import send_deliveries
from survey_service.webhooks.rules import DeliveryQueued

AT_ONCE: Mapping[type[Event], Sequence[Job]] = {
    CampaignClosed: (rebuild_dirty, score_everything),
}
"""Who closes a campaign finds its exact figures when the answer is there."""

HANDLERS: Mapping[type[Event], Sequence[Job]] = {
    BallotCast: (rebuild_dirty,),
    SubjectMarked: (rebuild_dirty,),
    PaperCounted: (rebuild_dirty,),
    TallyRebuilt: (score_changed,),
    CampaignClosed: (take_in_texts,),
    MassScoreChanged: (take_in_scores,),
    CampaignSealed: (take_in_scores, take_in_texts),
    RatingChanged: (refresh_draft,),
    OpinionReceived: (stir_allowances, index_new),
    OpinionMoved: (index_changed,),
    DeliveryQueued: (send_deliveries,),
    LettersRead: (store_readings,),
    LetterPublished: (follow_letter,),
    LetterWithdrawn: (follow_letter,),
    PrintingWaits: (print_parts,),
    KeysDestroyed: (drop_parts,),
    SlotsChanged: (renew_parts,),
}

SWEEPS: Sequence[Job] = (
    sweep_dirty,
    sweep_scores,
    sweep_sealings,
    sweep_drafts,
    sweep_warnings,
    send_audit_head,
    send_deliveries,
    sweep_texts,
    sweep_allowances,
    sweep_author_acts,
    sweep_letters,
    sweep_insights,
    sweep_retention,
    sweep_batch_keys,
    sweep_printing,
    sweep_reminders,
)
