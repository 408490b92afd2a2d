"""A sitting's code on many phones at once: one ballot for each subject of each campaign, on both engines."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from survey_service.ballots.models import Ballot, Participation, Receipt
from survey_service.entrances.slots import reissue_slots
from tests.factories.campaigns import start_campaign
from tests.http.ballots.phone import Phone
from tests.http.ballots.test_sittings import answers_for, start_sitting

EACH, THREADS = 4, 8


def test_parallel_posts_leave_one_ballot_for_each_subject_of_each_campaign(
    committing_app: Flask, frozen_clock: None
) -> None:
    sitting = start_sitting(start_campaign(committing_app, villages=2))
    code = sitting.invite(count=2)[0].code
    turns = Phone(committing_app.test_client()).open(code)["campaigns"]
    wanted = [(turn, place) for turn in turns for place in sitting.world.village_codes] * EACH

    def post(number: int) -> int:
        turn, place = wanted[number]
        phone = Phone(committing_app.test_client())
        given = {"ticket": turn["ticket"], "organization_code": place, "answers": answers_for(turn)}
        return phone.post(code, **given).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        answers = sorted(pool.map(post, range(len(wanted))))
    assert answers == [201] * 6 + [409] * 6 * (EACH - 1)
    assert [sitting.rows(table) for table in (Participation, Ballot, Receipt)] == [[2, 2, 2]] * 3
    assert sitting.change(reissue_slots, 1, 2, campaign=1, keyring=sitting.world.keyring) == 2
