"""docs/screenshots: a picture of each page, and none of what is no longer made."""

from django.urls import get_resolver

from tests.tools.browser import WITHOUT_A_PAGE
from tests.tools.screenshots import PICTURES, TARGET


def test_each_page_has_its_picture():
    known = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert {picture.page for picture in PICTURES} - {""} == known - WITHOUT_A_PAGE


def test_each_picture_is_there_and_no_other():
    assert {path.stem for path in TARGET.glob("*.png")} == {picture.name for picture in PICTURES}


def test_no_two_pictures_have_one_name():
    assert len({picture.name for picture in PICTURES}) == len(PICTURES)
