"""Opinions that say the same are proposed as one; what a village talks about more than others do."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from survey_service.opinions.grouping import LEAST_SIMILARITY, bigrams_of, find_groups, fold, similarity
from survey_service.opinions.topics import LEAST_Z, common_words, distinctive_words, words_of

LAMP = "村口的路灯坏了三个月没有人修，晚上老人出门很不方便"
PIG = "二组旁边的养猪场臭味太大，粪便直接排到河道里"


def test_the_same_in_other_words_is_one_group() -> None:
    texts = [
        (1, LAMP),
        (2, PIG),
        (3, LAMP.replace("三个月", "3个月") + "！！"),
        (4, PIG + "，怎么办"),
        (5, LAMP),
    ]
    groups = find_groups(texts)
    assert [(group.first, [member.id for member in group.members]) for group in groups] == [
        (1, [3, 5]),
        (2, [4]),
    ]
    assert groups[0].members[1].similarity == 1.0


def test_width_case_and_punctuation_make_no_difference() -> None:
    assert fold("ＡＢＣ，路灯 １２。") == "abc路灯12"
    [group] = find_groups([(1, "Wifi信号，没有！"), (2, "ｗｉｆｉ信号没有")])
    assert group.members[0].similarity == 1.0


def test_texts_without_a_letter_are_in_no_group() -> None:
    assert find_groups([(1, "😀"), (2, "😀"), (3, "，。"), (4, "")]) == []


def test_nothing_is_joined_through_a_chain() -> None:
    texts = ["一二三四五六七八九十", "四五六七八九十甲乙丙", "八九十甲乙丙丁戊己庚"]
    sets = [bigrams_of(text) for text in texts]
    assert similarity(sets[0], sets[1]) >= 0.5 > similarity(sets[0], sets[2])
    [group] = find_groups(enumerate(texts))
    assert [member.id for member in group.members] == [1]


@given(st.lists(st.text(st.sampled_from("路灯坏了水沟堵塞臭"), max_size=12), max_size=12))
def test_every_member_is_as_similar_as_promised(texts: list[str]) -> None:
    groups = find_groups(enumerate(texts))
    sets = [bigrams_of(fold(text)) for text in texts]
    seen = [id for group in groups for id in (group.first, *(member.id for member in group.members))]
    assert len(seen) == len(set(seen))
    for group in groups:
        for member in group.members:
            assert member.similarity == similarity(sets[group.first], sets[member.id]) >= LEAST_SIMILARITY


def test_nearly_all_similar_pairs_meet() -> None:
    random = Random(20261122)
    missed = 0
    for _ in range(400):
        text = "".join(random.choices(_HAN, k=60))
        other = list(text)
        for place in random.sample(range(60), 6):
            other[place] = random.choice(_HAN)
        missed += not find_groups([(1, text), (2, "".join(other))])
    assert missed <= 0.05 * 400


_HAN = [chr(code) for code in range(0x4E00, 0x5E00)]


def test_the_longest_word_of_the_dictionary_counts() -> None:
    assert words_of("低保户的养老保险，老井湾没有路灯") == {"低保户", "养老保险", "老井湾", "路灯"}


def test_a_village_is_known_by_what_others_do_not_say() -> None:
    texts = [("东村", PIG)] * 6 + [("西村", LAMP)] * 6 + [("东村", "停水"), ("西村", "停水")] * 5
    words = distinctive_words(texts, min_opinions=5)
    assert {"养猪场", "臭味", "河道"} <= {one.word for one in words["东村"]}
    assert "路灯" in {one.word for one in words["西村"]}
    assert all(one.word != "停水" and one.z >= LEAST_Z for found in words.values() for one in found)


def test_a_word_of_few_opinions_is_not_named() -> None:
    texts = [("东村", PIG)] * 4 + [("西村", LAMP)] * 40
    assert distinctive_words(texts, min_opinions=5)["东村"] == []


def test_a_single_place_has_nothing_to_differ_from() -> None:
    assert distinctive_words([("东村", LAMP)] * 9, min_opinions=5) == {"东村": []}


def test_a_group_is_named_by_what_most_of_it_say() -> None:
    assert "养猪场" in common_words([PIG, PIG, "养猪场停水"])
    assert "停水" not in common_words([PIG, PIG, "养猪场停水"])
