"""A scheme's file is read strictly, and what is wrong is said with its line."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from survey_service.core.canonical import canonical_json
from survey_service.ratings.documents import InvalidScheme, digest_of, json_schema, read_document
from survey_service.ratings.presets import PRESETS, preset_text, presets
from survey_service.ratings.scheme_files import MAX_SCHEME_BYTES, SchemeFault, read_scheme_file
from tests.rules.ratings.schemes import documented_example

TOWNSHIP = preset_text("township-classification")
DOCS = Path(__file__).parents[3] / "docs"


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def faults(text: str) -> dict[str, list[str]]:
    with pytest.raises(InvalidScheme) as caught:
        read_document(text)
    return caught.value.errors


@pytest.mark.parametrize(
    ("old", "new", "marked", "sentence"),
    [
        ("value: 15}}", "value: 16}}", "indicators:", "合计为 102"),
        ("{grade: 较好, title: 较好, min: 80}", "{grade: 较好, title: 较好, min: 95}", "min: 95", "从高到低"),
        ("title: 较差, min: 0}", "title: 较差, min: 10}", "min: 10", "应为 0"),
        ("max_percent: 20}", "max_percent: 20, min_percent: 5}", "min_percent: 5", "只写一个"),
        (
            "{grade: 较差, min_percent: 10}",
            "{grade: 较差, max_percent: 10}",
            "较差, max_percent",
            "不能设上限",
        ),
        (
            "{grade: 好, max_percent: 20}",
            "{grade: 好, min_percent: 20}",
            "好, min_percent",
            "只能用于最低等次",
        ),
        ("{grade: 好, max_percent: 20}", "{grade: 优, max_percent: 20}", "grade: 优", "没有“优”"),
        ("max_percent: 20}", "max_percent: 120}", "max_percent: 120", "超出了允许的范围"),
        ("code: plan,", "code: leader,", "工作思路", "重复"),
        (
            "by: county, actor: 县委组织部, decides: true",
            "by: self, decides: true",
            "by: self, decides",
            "不能决定自己",
        ),
        (", decides: true", "", "steps:", "现在有 0 个"),
        ("by: county", "by: emperor", "emperor", "选项"),
        ("points: {assumption: true, value: 20}, source: mass", "points: 20", "mass: {role", "source: mass"),
        ("format: rating-scheme/1", "format: rating-scheme/9", "format:", "选项"),
        ("kind: review", "kind: reviewed", "kind: reviewed", "选项"),
        ("title: 基层党组织分类定级\n", "title: 基层党组织分类定级\ncolour: red\n", "colour", "没有这一项"),
        ("code: mass_evaluation", "code: send-back", "send-back", "已有别的用途"),
        ("version: 1", 'version: "1"', 'version: "1"', "整数"),
        ("decides: true", 'decides: true, days: "5"', 'days: "5"', "整数"),
        ("code: plan,", "code: plan, scored_by: [emperor],", "[emperor]", "self、town、county"),
        ("code: plan,", "code: plan, scored_by: [self],", "[self]", "county、town"),
        ("code: plan,", "code: plan, scored_by: [town, town],", "[town, town]", "重复"),
        ("code: plan,", "code: plan, scored_by: town,", "scored_by: town", "写成列表"),
        ("code: plan,", "code: plan, scored_by: [],", "scored_by: []", "整个去掉"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(old: str, new: str, marked: str, sentence: str) -> None:
    text = TOWNSHIP.replace(old, new)
    assert text != TOWNSHIP
    found = faults(text)
    assert sentence in " ".join(found[str(line_of(text, marked))])


def test_who_scores_stands_where_points_are_entered() -> None:
    text = documented_example().replace("title: 党建工作", "title: 党建工作\n    scored_by: [town]")
    assert "下级指标" in " ".join(faults(text)[str(line_of(text, "scored_by: [town]"))])


def test_a_scheme_that_does_not_say_who_scores_keeps_its_hash() -> None:
    """Cycles that run hold the hash of a document without the word."""
    assert all("scored_by" not in canonical_json(document) for document in presets().values())


def test_an_unknown_field_and_a_sum_of_a_field_are_found() -> None:
    text = preset_text("feicheng-branch-star").replace("fields: [community]", "fields: [moon]")
    found = faults(text)
    assert "没有“moon”" in " ".join(found[str(line_of(text, "moon"))])
    assert "领域“community”的指标分值合计为 60" in " ".join(found[str(line_of(text, "indicators:"))])


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("a: 1\nb: [1, 2\n", 3, "写法不对"),
        ("a: 1\nb: 2\na: 3\n", 3, "写了两次"),
        ("a: &x [1]\nb: *x\n", 2, "“*”"),
        ("a: &x 1\nb: [{c: *x, d: 2}]\ne: 3\n", 2, "“*”"),
        ("a: 1\nb: !!python/object:os.system {}\n", 2, "“!”"),
        ("a: 1\nb: !!set {x}\n", 2, "“!”"),
        ("a: 1\n? [x]\n: 1\n", 2, "名称只能是文字"),
        ("a: 1\nb: {assumption: false, value: 1}\n", 2, "只能写 true"),
        ("[" * 40 + "]" * 40, 1, "层次太多"),
        ("- x\n" * 60_000, None, "太大"),
        ("x" * (MAX_SCHEME_BYTES + 1), 1, "太大"),
        ("a: 1\n---\nb: 2\n", None, "写法不对"),
        ("a: \x00", None, "写法不对"),
    ],
)
def test_strange_files_are_refused(text: str, line: int | None, sentence: str) -> None:
    with pytest.raises(SchemeFault) as caught:
        read_scheme_file(text)
    assert sentence in caught.value.sentence
    assert line is None or caught.value.line == line


def test_yes_is_not_taken_for_true() -> None:
    """What the published JSON Schema refuses, the service refuses as well."""
    text = preset_text("township-classification").replace("decides: true", "decides: yes")
    assert any("steps[4].decides：" in one for one in faults(text)[str(line_of(text, "decides: yes"))])


def test_aliases_cannot_grow_a_file() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{key}: &{key} [{','.join(['*' + previous] * 9)}]\n"
        for previous, key in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(SchemeFault) as caught:
        read_scheme_file(bomb)
    assert caught.value.line == 2


def test_plain_words_stay_words_and_decimals_exact() -> None:
    content = read_scheme_file("a: yes\nb: 2024-04-12\nc: 0.10\nd: 7\ne: ~\nf: true\ng: 1e3\n").content
    assert content == {
        "a": "yes", "b": "2024-04-12", "c": "0.10", "d": 7, "e": None, "f": True, "g": "1e3"
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "7", "~", "{}"])
def test_something_else_than_a_scheme_is_told_what_is_missing(text: str) -> None:
    assert faults(text)


def test_the_layout_of_a_file_does_not_change_its_hash() -> None:
    again = (
        TOWNSHIP.replace("kind: branch, title: 村(居)党支部", "title: 村(居)党支部, kind: branch")
        + "\n# end\n"
    )
    assert digest_of(read_document(again)) == digest_of(presets()["township-classification"])
    other = TOWNSHIP.replace("min: 60", "min: 61")
    assert digest_of(read_document(other)) != digest_of(presets()["township-classification"])


def test_what_no_text_gives_is_marked() -> None:
    marked = presets()["township-classification"]["assumptions"]
    assert {f"indicators[{number}].points" for number in range(7)} <= set(marked)
    assert not any(place.startswith(("bands", "quotas", "steps")) for place in marked)
    assert "bands" in presets()["fuzhou-standard"]["assumptions"]


@pytest.mark.parametrize("code", PRESETS)
def test_presets_keep_to_the_published_schema(code: str) -> None:
    validator = jsonschema_rs.validator_for(json_schema())
    assert [error.message for error in validator.iter_errors(yaml.safe_load(preset_text(code)))] == []


def test_the_published_schema_refuses_what_we_refuse() -> None:
    validator = jsonschema_rs.validator_for(json_schema())
    assert validator.is_valid(yaml.safe_load(documented_example()))
    assert not validator.is_valid(yaml.safe_load(documented_example().replace("[town, county]", "[emperor]")))
    scheme = yaml.safe_load(TOWNSHIP)
    assert not validator.is_valid(scheme | {"colour": "red"})
    assert not validator.is_valid(scheme | {"counts": ["emperor"]})
    assert not validator.is_valid({name: value for name, value in scheme.items() if name != "bands"})


def test_the_schema_in_the_documents_is_that_of_the_program() -> None:
    written = (DOCS / "rating-scheme.schema.json").read_text("utf-8")
    assert json.loads(written) == json_schema(), "write it again: see docs/ratings.md"
