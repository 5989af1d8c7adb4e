"""The two builds of the Android app, Gradle's and Maven's, take the same versions of everything."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ANDROID = Path(__file__).parents[2] / "android_demo"
CATALOGUE = tomllib.loads((ANDROID / "gradle/libs.versions.toml").read_text())
NAMESPACE = {"m": "http://maven.apache.org/POM/4.0.0"}
POMS = {
    name: ElementTree.parse(ANDROID / name).getroot()
    for name in ("pom.xml", "deps/pom.xml", "core/pom.xml", "app/pom.xml")
}


def properties(pom: str) -> dict[str, str]:
    found = POMS[pom].find("m:properties", NAMESPACE)
    return {each.tag.rpartition("}")[2]: each.text for each in ([] if found is None else found)}


def resolved(pom: str, text: str) -> str:
    known = properties("pom.xml") | properties(pom) | {"project.version": project_version()}
    return re.sub(r"\$\{([^}]*)\}", lambda match: known.get(match[1], match[0]), text)


def project_version() -> str:
    return POMS["pom.xml"].find("m:version", NAMESPACE).text


def maven_versions() -> dict[str, set[str]]:
    """The versions of every library and plugin that a pom names."""
    found: dict[str, set[str]] = {}
    for pom, root in POMS.items():
        for kind in ("dependency", "artifactItem", "plugin"):
            for each in root.iter(f"{{{NAMESPACE['m']}}}{kind}"):
                version = each.find("m:version", NAMESPACE)
                if version is not None:
                    group = each.findtext("m:groupId", "org.apache.maven.plugins", NAMESPACE)
                    name = f"{group}:{each.findtext('m:artifactId', None, NAMESPACE)}"
                    found.setdefault(name, set()).add(resolved(pom, version.text))
    return found


def catalogue_versions() -> dict[str, str]:
    versions = CATALOGUE["versions"]
    # Only in Google's repository: Maven compiles against stubs.
    return {
        each["module"]: versions[each["version"]["ref"]]
        for each in CATALOGUE["libraries"].values()
        if each["module"] != "com.google.ai.edge.litert:litert"
    }


def gradle_name(module: str) -> str:
    """What Gradle picks the variant of by itself."""
    return module.removesuffix("-jvm")


@pytest.mark.parametrize("module", sorted(catalogue_versions()))
def test_libraries(module: str) -> None:
    of_maven = {gradle_name(name): versions for name, versions in maven_versions().items()}
    assert of_maven[module] == {catalogue_versions()[module]}


def test_maven_has_no_library_of_its_own() -> None:
    # Parts of the Android SDK, and the app's own modules.
    own = {"org.robolectric:android-all", "org.robolectric:android-all-instrumented", "com.android.tools:r8",
           "com.android.tools.build:apksig", "com.android.tools.build:bundletool",
           "com.toasttab.android:gummy-bears-api-${min-sdk}", "org.jetbrains.kotlin:kotlin-stdlib"}  # fmt: skip
    names = {
        gradle_name(f"{each.findtext('m:groupId', None, NAMESPACE)}:{each.findtext('m:artifactId', None, NAMESPACE)}")
        for root in POMS.values()
        for kind in ("dependency", "artifactItem")
        for each in root.iter(f"{{{NAMESPACE['m']}}}{kind}")
    }
    names = {
        name for name in names if not name.startswith(("org.kerassegformer:", "org.jetbrains.kotlin:kotlin-maven"))
    }
    assert names - own == set(catalogue_versions())


def test_kotlin() -> None:
    plugins = {each["id"]: each["version"]["ref"] for each in CATALOGUE["plugins"].values()}
    for name in (
        "org.jetbrains.kotlin.android",
        "org.jetbrains.kotlin.jvm",
        "org.jetbrains.kotlin.plugin.serialization",
    ):
        assert plugins[name] == "kotlin"
    assert CATALOGUE["versions"]["kotlin"] == properties("pom.xml")["kotlin.version"]


def test_r8() -> None:
    # AGP's own would be older than Kotlin asks for.
    settings = (ANDROID / "settings.gradle.kts").read_text()
    assert re.findall(r'classpath\("com.android.tools:r8:(.*)"\)', settings) == [properties("pom.xml")["r8.version"]]


def test_app() -> None:
    build = (ANDROID / "app/build.gradle.kts").read_text()
    expected = {
        "namespace": f'"{properties("app/pom.xml")["application-id"]}"',
        "applicationId": f'"{properties("app/pom.xml")["application-id"]}"',
        "versionName": f'"{project_version()}"',
        "versionCode": properties("app/pom.xml")["version-code"],
        "minSdk": properties("pom.xml")["min-sdk"],
        "targetSdk": properties("pom.xml")["target-sdk"],
        "compileSdk": properties("pom.xml")["target-sdk"],
    }
    found = dict(re.findall(r"^\s*(\w+) = (\S+)$", build, re.MULTILINE))
    assert {name: found.get(name) for name in expected} == expected
    assert properties("pom.xml")["android.version"].startswith("15-")  # API level 35


def test_abis() -> None:
    build = (ANDROID / "app/build.gradle.kts").read_text()
    of_gradle = set(re.findall(r'"([^"]+)"', re.search(r"abiFilters \+= listOf\((.*)\)", build)[1]))
    assert of_gradle == {abi.rstrip("/") for abi in properties("app/pom.xml")["abis"].split(",")}


def test_both_builds_leave_the_same_files_out_of_the_store_flavour() -> None:
    name = "store_excludes.txt"
    assert f'includesfile="${{basedir}}/{name}"' in (ANDROID / "app/apk.xml").read_text()
    gradle = (ANDROID / "app/build.gradle.kts").read_text()
    store = re.search(r'selector\(\).withFlavor\("libraries" to "store"\)\) .*?\n    }\n', gradle, re.DOTALL)[0]
    assert f'variant.androidResources.ignoreAssetsPatterns.addAll(file("{name}").readLines())' in store
    # What Ant and Android's aapt understand alike: names in any folder, with * at their end.
    patterns = (ANDROID / "app" / name).read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9_]+\.\*", pattern) for pattern in patterns)


def test_gradle_packs_the_library_for_the_cpu_into_both_flavours() -> None:
    gradle = (ANDROID / "app/build.gradle.kts").read_text()
    flavours = re.search(r"for \(flavour in listOf\((.*)\)\)", gradle)[1]
    assert re.findall(r'"(\w+)"', flavours) == ["full", "store"]
    # Its JARs have files of the same names, which Gradle would refuse.
    assert 'resources.excludes += "META-INF/native-image/**"' in gradle


def test_java() -> None:
    for build in ("app/build.gradle.kts", "core/build.gradle.kts"):
        assert "jvmTarget = JvmTarget.JVM_17" in (ANDROID / build).read_text()
    assert properties("pom.xml")["kotlin.compiler.jvmTarget"] == "17"
    assert properties("pom.xml")["maven.compiler.release"] == "17"


def test_the_python_package_has_the_same_version() -> None:
    pyproject = tomllib.loads((ANDROID.parent / "pyproject.toml").read_text())
    assert project_version() == pyproject["project"]["version"]
