"""From a scan to a score, in both shapes, through real processes."""

from tests.journeys.county import County, eventually

GOLDEN = ["satisfied"] * 20 + ["basically_satisfied"] * 4 + ["dissatisfied"] + ["not_informed"] * 2


def test_ballots_become_the_score_of_their_village(county: County) -> None:
    # Given a running campaign, when villagers vote as in the first golden example …
    county.open_campaign(eligible={"100001001000": {"villager": 30}, "100001002000": {"villager": 30}})
    county.vote(GOLDEN)
    # … then the figures follow by themselves, …
    eventually(county.returned, len(GOLDEN))
    county.staff("POST", f"/campaigns/{county.campaign_id}/close")
    eventually(lambda: county.score()["score"], "94.20")
    score = county.score()
    assert (score["status"], score["returned"], score["response_rate"]) == ("ok", 27, "90.00")
    assert score["satisfaction_rate"] == "96.00"
    # … the other village has none, …
    assert county.score(1)["status"] == "suppressed"
    # … and the recount finds nothing to object to.
    check = county.installation.run("rebuild", "--check")
    assert check.returncode == 0, check.stderr


def test_figures_of_an_open_campaign_are_released_in_steps(county: County) -> None:
    county.open_campaign()
    county.vote(["satisfied"] * 5)
    eventually(lambda: county.score()["score"], "100.00")
    county.vote(["dissatisfied"] * 2)
    eventually(county.returned, 7)
    assert (county.score()["score"], county.score()["as_of_returned"]) == ("100.00", 5)
    county.vote(["dissatisfied"] * 3)
    eventually(lambda: county.score()["score"], "77.50")
