"""A campaign's recording: somebody reads the questionnaire aloud for those who cannot read it well."""

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign, CampaignRecording
from survey_service.campaigns.queries import lock_campaign
from survey_service.campaigns.rules import campaign_target
from survey_service.core.audit import record
from survey_service.core.errors import Invalid, NotFound
from survey_service.core.texts import text

MAX_RECORDING_BYTES = 3 * 1024 * 1024
"""Three minutes of speech at 128 kbit/s."""

_SIGNATURES = (
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (4, b"ftyp", "audio/mp4"),
    (0, b"OggS", "audio/ogg"),
)


@dataclass(frozen=True)
class Recording:
    """A recording as a browser plays it."""

    content: bytes
    content_type: str


def recognize_audio(content: bytes) -> str | None:
    """Return the media type of an audio file by its first bytes; its name proves nothing."""
    return next(
        (kind for place, signature, kind in _SIGNATURES if content[place:].startswith(signature)), None
    )


def store_recording(session: Session, *, campaign_id: int, content: bytes) -> Campaign:
    """Store or replace a campaign's recording; raises Invalid for anything but MP3, M4A or OGG."""
    content_type = recognize_audio(content)
    if content_type is None:
        raise Invalid(errors={"file": [text("campaigns.not_audio")]})
    digest = sha256(content).hexdigest()
    campaign = _replace_digest(session, campaign_id, digest)
    session.add(
        CampaignRecording(
            campaign_id=campaign_id,
            digest=digest,
            content_type=content_type,
            content=content,
        )
    )
    return campaign


def delete_recording(session: Session, *, campaign_id: int) -> None:
    """Take a campaign's recording away."""
    _replace_digest(session, campaign_id, None)


def _replace_digest(session: Session, campaign_id: int, digest: str | None) -> Campaign:
    """Name the new recording of a campaign, delete the old one, and record that."""
    campaign = lock_campaign(session, campaign_id)
    before, after = {"recording": campaign.recording_digest}, {"recording": digest}
    campaign.recording_digest = digest
    session.execute(delete(CampaignRecording).where(CampaignRecording.campaign_id == campaign_id))
    record(session, "campaigns.record", campaign_target(campaign_id), before=before, after=after)
    return campaign


def get_recording(session: Session, *, digest: str) -> Recording:
    """Return the recording with this digest; raises NotFound."""
    recording = session.scalars(select(CampaignRecording).where(CampaignRecording.digest == digest)).first()
    if recording is None:
        raise NotFound
    return Recording(recording.content, recording.content_type)
