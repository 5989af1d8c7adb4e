"""The manifest of the Android app and the files that it names."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

_MAIN = Path(__file__).parents[2] / "android_demo/app/src/main"
_ANDROID = "{http://schemas.android.com/apk/res/android}"
# https://developer.android.com/identity/data/autobackup#XMLSyntax
_DOMAINS = {"file", "database", "sharedpref", "external", "root"} | {
    f"device_{name}" for name in ("file", "database", "sharedpref", "root")
}


def _activities():
    application = ElementTree.parse(_MAIN / "AndroidManifest.xml").getroot().find("application")
    return {activity.get(f"{_ANDROID}name").rpartition(".")[2]: activity for activity in application.iter("activity")}


@pytest.mark.parametrize("transfer", ["cloud-backup", "device-transfer"])
def test_no_domain_of_files_leaves_the_phone(transfer):
    rules = ElementTree.parse(_MAIN / "res/xml/data_extraction_rules.xml").getroot().find(transfer)
    assert {rule.get("domain") for rule in rules if rule.tag == "exclude" and rule.get("path") == "."} == _DOMAINS
    assert {rule.tag for rule in rules} == {"exclude"}


def test_other_apps_cannot_start_a_benchmark():
    exported = {
        name: activity.get(f"{_ANDROID}permission")
        for name, activity in _activities().items()
        if activity.get(f"{_ANDROID}exported") == "true"
    }
    assert exported == {"MainActivity": None, "BenchmarkActivity": "android.permission.DUMP"}


def test_a_second_intent_reaches_the_benchmark_that_is_shown():
    assert _activities()["BenchmarkActivity"].get(f"{_ANDROID}launchMode") == "singleTop"


def test_no_screen_is_locked_to_an_orientation_or_size():
    locks = ("screenOrientation", "resizeableActivity", "maxAspectRatio", "minAspectRatio")
    for name, activity in _activities().items():
        assert not [lock for lock in locks if activity.get(f"{_ANDROID}{lock}")], name


def test_images_can_be_shared_with_the_app():
    filters = _activities()["MainActivity"].iter("intent-filter")
    shared = [each for each in filters if each.find("action").get(f"{_ANDROID}name") == "android.intent.action.SEND"]
    assert [each.find("data").get(f"{_ANDROID}mimeType") for each in shared] == ["image/*"]
    # A second instance would compete for the camera.
    assert _activities()["MainActivity"].get(f"{_ANDROID}launchMode") == "singleTask"
