"""The language of a page: by choice, badge, station or configuration. Edge (of files)."""

from gateway.screen.languages import PageLanguages


def test_a_badge_sets_the_language_until_the_person_chooses_another(tmp_path):
    languages = PageLanguages(tmp_path, default="en")
    assert languages.of(station="dock-1", operator="wei", named="zh") == "zh"
    assert languages.of(station="dock-1", operator="bob", named="") == "en"
    assert languages.of(station="dock-1", operator="kim", named="ko") == "en"
    assert languages.of(station="dock-1", operator="", named="") == "en"
    languages.choose("en", station="dock-1", operator="wei")
    again = PageLanguages(tmp_path, default="zh")
    assert again.of(station="dock-1", operator="wei", named="zh") == "en"
    assert again.of(station="dock-1", operator="bob", named="") == "zh"
