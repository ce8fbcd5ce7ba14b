"""The READMEs name what there is, and what they tell to type exists. Edge of the programs."""

import ast
import re
import subprocess

import pytest

from drivers.registry import driver_names, load_driver
from tests.house.commands import SCRIPTS, SHOWN, help_of
from tests.house.source_tree import ROOT, product_sources

READMES = sorted(
    path for path in ROOT.rglob("README.md") if not {".venv", "build"} & set(path.parts)
)
COMMAND = re.compile(
    r"^ *(?:\.venv/bin/)?(dockledger-[a-z]+)((?: [a-z][a-z-]*)*)(.*)$", re.MULTILINE
)


def commands_of_readmes():
    """Return every (command, subcommands, options) that a code block of a README tells to type."""
    found = set()
    for readme in READMES:
        text = readme.read_text(encoding="utf-8")
        blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        blocks += re.findall(r"(?:^|\n\n)((?:    \S.*\n)+)", text)
        for name, words, rest in COMMAND.findall("\n".join(blocks)):
            options = tuple(sorted(set(re.findall(r"--[a-z][a-z-]+", rest.split("#")[0]))))
            found.add((name, tuple(words.split()), options))
    return sorted(found)


@pytest.mark.parametrize(("name", "words", "options"), commands_of_readmes(), ids=str)
def test_a_command_in_a_readme_exists_with_its_options(name, words, options):
    assert name in SCRIPTS
    shown = help_of(name, *words)
    assert [option for option in options if option not in shown] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_command_is_installed(name):
    words = [ROOT / ".venv/bin" / name, "--help"]
    environment = {"PATH": "/usr/bin:/bin"} | SHOWN
    shown = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    # Apart from the name by which it was called.
    assert shown.stdout.splitlines()[3:] == help_of(name).splitlines()[3:]


def test_the_readmes_tell_enough_commands_for_the_test_above_to_mean_something():
    assert {name for name, _, _ in commands_of_readmes()} >= {
        "dockledger-gateway",
        "dockledger-central",
    }


def test_a_make_target_in_a_readme_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for readme in READMES:
        text = readme.read_text(encoding="utf-8")
        named = re.findall(r"^make ([a-z-]+)", text, re.MULTILINE) + re.findall(
            r"`make ([a-z-]+)`", text
        )
        assert set(named) <= targets, readme


@pytest.mark.parametrize("name", driver_names())
def test_a_driver_and_each_of_its_settings_are_in_the_readme_of_the_drivers(name):
    readme = (ROOT / "drivers" / "README.md").read_text(encoding="utf-8")
    assert f"`{name}`" in readme
    families = sorted((ROOT / "drivers" / "builtin").glob("*.md"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in families)
    missing = [
        field
        for field in load_driver(name).settings_type.__struct_fields__
        if f"`{field}`" not in text
    ]
    assert not missing


def test_every_error_is_drawn_in_the_tree_of_its_package():
    for source in product_sources():
        if source.path.endswith("/errors.py") and source.path.count("/") == 1:
            drawing = ast.get_docstring(source.tree)
            for node in source.tree.body:
                if isinstance(node, ast.ClassDef):
                    assert node.name in drawing, f"{source.path}: {node.name}"


def test_every_folder_is_named_in_the_readme_above_it():
    for source in product_sources():
        parts = source.path.split("/")
        if len(parts) < 3 or parts[-1] != "__init__.py":
            continue
        folder = parts[-2]
        above = (ROOT / "/".join(parts[:-2])) / "README.md"
        if above.exists() and folder != "versions":
            text = above.read_text(encoding="utf-8")
            assert folder in text, f"{above.relative_to(ROOT)} does not name {folder}/"
