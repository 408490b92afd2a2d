"""The vocabulary of the tree."""

import pytest

from survey_service.organizations.rules import ids_on_path, path_under, place_name


def test_a_path_holds_the_ids_from_the_root_down() -> None:
    assert path_under(path_under(None, 1), 17) == "/1/17/"
    assert ids_on_path("/1/17/") == (1, 17)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("麻寮村委会", "麻寮村"),
        ("麻寮村村民委员会", "麻寮村"),
        ("上林社区居委会", "上林社区"),
        ("刘庄居委会", "刘庄社区"),
        ("马邑路中心社区居民委员会", "马邑路中心社区"),
        ("中山社区", "中山社区"),
        ("村委会", "村委会"),
    ],
)
def test_the_place_behind_the_name_of_a_committee(name: str, place: str) -> None:
    assert place_name(name) == place
