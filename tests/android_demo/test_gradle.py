"""The build of the Android app by Gradle, which CI does not run: what it must not do."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ANDROID = Path(__file__).parents[2] / "android_demo"
BUILD = (ANDROID / "app/build.gradle.kts").read_text()


def test_a_release_is_never_signed_with_the_debug_key() -> None:
    release = re.search(r"^        release \{\n(.*?)^        }\n", BUILD, re.DOTALL | re.MULTILINE)[1]
    # Null, and thus unsigned, where the variables that `create` it are not set.
    assert re.findall(r"signingConfig = (.*)", release) == ['signingConfigs.findByName("release")']
    assert '"debug"' not in BUILD


def test_the_libraries_are_those_that_the_app_knows() -> None:
    # Of other libraries under the same names, the app would state the page size of the ones that it is built for.
    assert "substitute(" not in BUILD


@pytest.mark.parametrize("folder", ["values", "values-ko"])
def test_the_flavour_litert_does_not_speak_of_nnapi(folder: str) -> None:
    def texts(source: str) -> dict[str, str]:
        strings = ElementTree.parse(ANDROID / f"app/src/{source}/res/{folder}/strings.xml").getroot()
        return {string.get("name"): string.text for string in strings}

    shared, own = texts("main"), texts("litert")
    assert own.keys() <= shared.keys()
    offered = {name: text for name, text in (shared | own).items() if name.startswith("processor_")}
    assert not [name for name, text in offered.items() if "NNAPI" in text or "Android 8.1" in text]
