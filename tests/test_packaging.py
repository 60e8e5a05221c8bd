"""What is installed: scopt and scopt.models, and no top-level `models`."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

import scopt

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]


def folders_of_code():
    """Dotted package names of all folders below scopt/ and models/ that hold a module."""
    for top, package in (("scopt", "scopt"), ("models", "scopt.models")):
        for module in (ROOT / top).rglob("*.py"):
            yield ".".join([package, *module.parent.relative_to(ROOT / top).parts])


def test_packages_are_listed_completely():
    # An unlisted sub-package works in an editable install and is missing from the wheel.
    assert set(SETUPTOOLS["packages"]) == set(folders_of_code())


def test_every_package_has_an_init():
    for package in set(folders_of_code()):
        folder = SETUPTOOLS["package-dir"].get(package, package.replace(".", "/"))
        assert (ROOT / folder / "__init__.py").is_file()


def test_models_cannot_be_imported_by_the_name_of_its_folder():
    code = "import models"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "import it by that name" in done.stderr


def test_models_is_installed_as_scopt_models():
    spec = find_spec("scopt.models")
    assert spec is not None
    assert spec.name == "scopt.models"


def test_version_is_that_of_the_project():
    assert scopt.__version__ == version("scopt") == PROJECT["project"]["version"]


def test_public_names_exist():
    assert [name for name in scopt.__all__ if not hasattr(scopt, name)] == []
    assert callable(scopt.solve)
    assert callable(scopt.compare)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Names of the files of the wheel, built by way of the source distribution."""
    if find_spec("build") is None:
        pytest.skip("the package `build` (group dev) is not installed")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as file:
        return file.namelist()


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_nothing_else(wheel):
    modules = {name for name in wheel if name.endswith(".py")}
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / "scopt").rglob("*.py")}
    expected |= {f"scopt/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "models").rglob("*.py")}
    assert modules == expected
    assert {name.split("/")[0] for name in wheel} == {"scopt", f"scopt-{version('scopt')}.dist-info"}


@pytest.mark.slow
def test_the_wheel_holds_its_licence_and_type_marker(wheel):
    assert "scopt/py.typed" in wheel
    assert any(re.search(r"\.dist-info/(licenses/)?LICENSE$", name) for name in wheel)


def test_the_licence_is_mit():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License\n\nCopyright (c) The scopt authors\n")
    assert PROJECT["project"]["license"] == "MIT"
