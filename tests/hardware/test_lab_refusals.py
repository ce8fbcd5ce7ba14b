"""What the lab says when it cannot work, and that it leaves nothing behind. Edge of the system."""

import os
import platform
import subprocess
import sys

import pytest

from tests.hardware.errors import LabUnusable
from tests.hardware.foreign import programs_of
from tests.hardware.host import MACHINES, MEMORY_BYTES_MIN, Host, check_room, refuse_foreign
from tests.hardware.image import Image, forget_images, image_for, places
from tests.hardware.packages import ROOT
from tests.hardware.promises import Left, broken_claims, read_look, read_paper


def run_lab(cache, *words, **environment):
    """Run the lab's program and return status and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hardware", *words],
        env=os.environ | {"DOCKLEDGER_LAB": str(cache)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


OWN, OTHER = ("arm64", "amd64") if platform.machine() == "aarch64" else ("amd64", "arm64")


@pytest.mark.parametrize(
    ("asked", "named", "hint"),
    [
        pytest.param("", "qemu-system-", ": bash .ci/packages lab", id="own kind"),
        pytest.param(
            OTHER,
            f"qemu-system-{MACHINES[OTHER]}, arch-test, qemu-{MACHINES[OTHER]}-static",
            f": LAB_ARCHITECTURE={OTHER} bash .ci/packages lab",
            id="other kind",
        ),
    ],
)
def test_without_qemu_it_names_what_to_install(tmp_path, asked, named, hint):
    tools = tmp_path / "tools"
    tools.mkdir()
    status, said = run_lab(tmp_path / "cache", PATH=str(tools), LAB_ARCHITECTURE=asked)
    assert status == 2
    assert "not installed: " in said
    assert named in said
    assert hint in said
    assert list(tmp_path.iterdir()) == [tools]


def test_a_kind_of_guest_that_there_is_not_is_named_with_those_that_there_are(tmp_path):
    status, said = run_lab(tmp_path / "cache", LAB_ARCHITECTURE="riscv64")
    assert (status, "kind riscv64" in said, "=amd64 or arm64" in said) == (2, True, True)
    assert list(tmp_path.iterdir()) == []


def test_services_of_another_kind_of_processor_are_refused(tmp_path):
    refuse_foreign(Host(OWN, "bookworm", tmp_path, "http://127.0.0.1:9"), "services")
    with pytest.raises(LabUnusable, match="services are installed") as raised:
        refuse_foreign(Host(OTHER, "bookworm", tmp_path, "http://127.0.0.1:9"), "services")
    assert "LAB_ARCHITECTURE" in raised.value.hint


def test_an_unknown_part_is_named_with_those_that_there_are(tmp_path):
    status, said = run_lab(tmp_path, "cut")
    assert (status, "cut; there are devices, plugging" in said) == (2, True)


@pytest.mark.parametrize(
    ("available", "refused"), [(MEMORY_BYTES_MIN, False), (MEMORY_BYTES_MIN - 1024, True)]
)
def test_without_memory_to_spare_nothing_is_begun(tmp_path, available, refused):
    memory = tmp_path / "meminfo"
    memory.write_text(f"MemTotal: 9 kB\nMemAvailable: {available // 1024} kB\n")
    if refused:
        with pytest.raises(LabUnusable, match="1535 MB of memory are free") as raised:
            check_room(tmp_path, memory=memory)
        assert raised.value.hint.startswith("End other programs")
    else:
        check_room(tmp_path, memory=memory)


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(LabUnusable, match="file/cache cannot be used") as raised:
        check_room(file / "cache")
    assert "DOCKLEDGER_LAB" in raised.value.hint


def test_what_an_interrupted_run_left_is_taken_for_no_image(tmp_path):
    host = Host("amd64", "bookworm", tmp_path, "http://127.0.0.1:9/debian")
    base, folder = places(host)
    for path in (tmp_path / "building-abc", folder):
        path.mkdir()
        (path / "root.img").touch()
    base.touch()
    image = image_for(host, print)
    assert image.folder == folder  # It was renamed when it was whole.
    assert {path.name for path in tmp_path.iterdir()} == {base.name, folder.name}
    assert not image.frozen


def test_building_for_one_kind_of_processor_leaves_the_images_of_the_other(tmp_path):
    host = Host("arm64", "bookworm", tmp_path, "http://127.0.0.1:9/debian")
    kept = places(host)[1]
    kept.mkdir()
    others = ["base-bookworm-amd64-1.tar.zst", "guest-amd64-1", "packages"]
    old = ["base-bookworm-arm64-1.tar.zst", "guest-arm64-1", "wheels-bookworm-arm64-evdev-1"]
    for name in (*others, *old):
        (tmp_path / name).mkdir()
    forget_images(host, but={kept})
    assert {path.name for path in tmp_path.iterdir()} == {*others, kept.name}


def test_the_kernel_is_told_of_foreign_programs_for_as_long_as_an_image_is_built(tmp_path):
    kinds, recipes = tmp_path / "kinds", tmp_path / "recipes"
    kinds.mkdir()
    recipes.mkdir()
    (kinds / "register").touch()
    place = {"kinds": kinds, "recipes": recipes, "runs": lambda _: False}
    with (
        pytest.raises(LabUnusable, match="arm64 cannot be run here") as raised,
        programs_of("arm64", **place),
    ):
        pass
    assert "copy its cache" in raised.value.hint
    (recipes / "qemu-aarch64.conf").write_text(":qemu-aarch64:M::ELF::/emulator:F\n")
    with programs_of("arm64", **place):
        assert (kinds / "register").read_text() == ":qemu-aarch64:M::ELF::/emulator:F"
        assert not (kinds / "qemu-aarch64").exists()
    assert (kinds / "qemu-aarch64").read_text() == "-1"


def test_a_guest_that_is_half_frozen_is_booted_and_frozen_again(tmp_path):
    image = Image(tmp_path, "amd64")
    (tmp_path / "ready.state.part").touch()
    image.ready_disk.touch()
    assert not image.frozen
    image.ready_state.touch()
    assert image.frozen


LOOK = "VERIFIED\nJOBS printed 5 10\nJOBS queued 20\nJOBS unknown 15\nSERIALS 1 2 5 10 15 20\n"


def test_a_look_after_a_cut_is_read_only_if_everything_was_whole():
    left = read_look(LOOK)
    assert left is not None
    assert left.serials == {1, 2, 5, 10, 15, 20}
    assert left.jobs["unknown"] == {15}
    assert read_look(LOOK.replace("VERIFIED", "BROKEN fact 2")) is None
    assert read_look("VERIFIED\n") is None
    assert read_paper("boot\r\n\nPAPER 5\r\n\r\nPAPER 10\r\nPAPER 1") == [5, 10, 1]


@pytest.mark.parametrize(
    ("paper", "claim"),
    [
        pytest.param([5, 10, 15], "", id="true"),
        pytest.param([5, 10], "", id="unknown, and not on paper"),
        pytest.param([5, 15], "said to be printed, and not on paper: [10]", id="never came out"),
        pytest.param([5, 10, 20], "queued to be printed again: [20]", id="no claim"),
        pytest.param([5, 10, 25], "unknown to the queue: [25]", id="no job"),
        pytest.param([5, 10, 10], "on paper twice: [10]", id="twice"),
    ],
)
def test_a_print_queue_that_claims_what_it_cannot_know_is_found(paper, claim):
    left = read_look(LOOK)
    assert isinstance(left, Left)
    found = broken_claims(left, paper)
    assert len(found) == bool(claim)
    assert claim in "".join(found)
