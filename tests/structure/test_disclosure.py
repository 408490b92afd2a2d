"""Answers are read where they are counted and where they are scored, and shown by nothing else."""

import ast
from pathlib import Path

import survey_service

PACKAGE = Path(survey_service.__file__).parent

ANSWERS = frozenset(
    {
        *("TallyRow", "list_slices", "stream_ballots", "BallotText", "SealedScore"),
        *("PaperLine", "PaperTotal", "closed_totals"),
    }
)
"""The names through which counted or single answers, and texts of voters, are read."""

READERS = {
    "paper_entry/models.py": "the tables themselves",
    "paper_entry/queries.py": "reads drafts for those who key them, and totals for the tally",
    "paper_entry/keying.py": "stores what people key",
    "paper_entry/closing.py": "keeps the totals of a meeting",
    "paper_entry/service.py": "deletes the drafts, and compares the two people's",
    "tallies/queries.py": "reads the tally",
    "tallies/service.py": "counts",
    "tallies/models.py": "the table itself",
    "mass_evaluation/service.py": "scores, behind the gate",
    "ballots/models.py": "the table itself",
    "ballots/queries.py": "compares a repeated ballot with the stored one",
    "ballots/service.py": "stores and replaces",
    "opinions/taking_in.py": "takes texts in as opinions, from ten upwards, sorted by content",
    "sealing/models.py": "the table itself",
    "sealing/recording.py": "seals what the gate let through, and the tallies unseen",
    "sealing/corrections.py": "scores sealed tallies again, behind the gate",
    "sealing/documents.py": "writes figures that passed the gate, and a digest of the tallies",
    "sealing/queries.py": "turnout by class and mode from sealed tallies",
    "sealing/verification.py": "compares, and shows differences on the command line only",
    "retention/service.py": "counts and deletes old texts, and reads none",
    "ratings/queries.py": "figures that passed the gate, released or sealed, with their derivation",
    "reports/queries.py": "turnout by class and mode; figures that passed the gate",
}


def names_imported(source: Path) -> set[str]:
    nodes = ast.walk(ast.parse(source.read_text("utf-8")))
    return {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def names_used(source: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(source.read_text("utf-8"))))
    defined = {node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    return names_imported(source) | defined


def test_no_other_module_reads_answers() -> None:
    found = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if names_used(path) & ANSWERS}
    assert found == READERS.keys()


def test_exact_scores_are_made_behind_the_gate_only() -> None:
    """The reader of reports scores nothing but the case that nobody has voted."""
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if {"score_subject", "estimate_subject"} & names_imported(path)
    }
    assert found == {
        "mass_evaluation/figures.py",
        "mass_evaluation/releases.py",
        "mass_evaluation/rules.py",
        "mass_evaluation/totals.py",
        "reports/service.py",
    }


def test_reports_read_only_numbers_of_ballots_from_the_tally() -> None:
    tree = ast.parse((PACKAGE / "reports/queries.py").read_text("utf-8"))
    columns = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "TallyRow"
    }
    assert columns == {"campaign_id", "subject_id", "mode", "rater_class", "returned"}
