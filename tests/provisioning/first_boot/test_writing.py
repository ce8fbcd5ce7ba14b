"""Cards are written whole, into folders and into images. Edge of mtools."""

import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from provisioning.__main__ import app
from provisioning.first_boot.errors import CardRefused
from provisioning.first_boot.writing import fat_offset, write_card

FIRST_SECTOR = 2048
SECTORS = 40_000


def command(*words):
    """Run `dockledger-provision image`."""
    return CliRunner().invoke(app, ["image", *map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "gateway.toml").write_text('[gateway]\ncode = "SH1_dock.1"\n', encoding="utf-8")
    (folder / "dockledger-enrol.toml").write_text('claim = "ABCD"\n', encoding="utf-8")
    (tmp_path / "gateway.deb").write_bytes(b"!<arch>\n" * 1000)
    return folder


def image_of(path):
    """Make an image with a master boot record and one FAT32 partition, as that of a Pi."""
    record = bytearray(512)
    entry = bytes([0, 0, 0, 0, 0x0C, 0, 0, 0])
    entry += FIRST_SECTOR.to_bytes(4, "little") + SECTORS.to_bytes(4, "little")
    record[446:462] = entry
    record[510:512] = b"\x55\xaa"
    with path.open("wb") as file:
        file.truncate((FIRST_SECTOR + SECTORS) * 512)
        file.write(record)
    drive = f"{path}@@{FIRST_SECTOR * 512}"
    words = ["mformat", "-i", drive, "-T", str(SECTORS), "-h", "16", "-s", "32", "::"]
    subprocess.run(words, check=True, capture_output=True)
    return drive


def test_a_mounted_partition_gets_every_file(tmp_path, package):
    card = tmp_path / "bootfs"
    card.mkdir()
    done = command(card, "--package", package, "--deb", tmp_path / "gateway.deb")
    assert done.exit_code == 0, done.output
    names = {str(path.relative_to(card)) for path in card.rglob("*") if path.is_file()}
    assert names >= {
        "user-data",
        "network-config",
        "meta-data",
        "dockledger/start.sh",
        "dockledger/first-boot.sh",
        "dockledger/dockledger-first-boot.service",
        "dockledger/gateway.toml",
        "dockledger/dockledger-enrol.toml",
        "dockledger/debs/gateway.deb",
    }
    assert b'"hostname": "sh1-dock-1"' in (card / "user-data").read_bytes()


def test_a_root_that_is_only_read_takes_the_growth_out_of_the_cards_own_file(tmp_path, package):
    card = tmp_path / "bootfs"
    card.mkdir()
    (card / "cmdline.txt").write_text("root=PARTUUID=4c-02 rootwait resize\n", encoding="utf-8")
    given = [card, "--package", package, "--deb", tmp_path / "gateway.deb", "--read-only-root"]
    for _ in range(2):
        done = command(*given)
        assert done.exit_code == 0, done.output
    assert (card / "cmdline.txt").read_text("utf-8") == "root=PARTUUID=4c-02 rootwait\n"
    assert (card / "dockledger/read-only-root").exists()


FLAG = "dockledger/read-only-root"
WITHOUT_AND_AGAIN = {
    "we took it out": ("rootwait resize\n", 1, "rootwait resize\n"),
    "prepared twice": ("rootwait resize\n", 2, "rootwait resize\n"),
    "it had none": ("rootwait\n", 1, "rootwait\n"),
}


@pytest.mark.parametrize(("had", "times", "has"), WITHOUT_AND_AGAIN.values(), ids=WITHOUT_AND_AGAIN)
def test_a_card_prepared_again_for_a_writable_root_gets_one(tmp_path, package, had, times, has):
    card = tmp_path / "bootfs"
    card.mkdir()
    (card / "cmdline.txt").write_text(had, encoding="utf-8")
    given = [card, "--package", package, "--deb", tmp_path / "gateway.deb"]
    for _ in range(times):
        assert command(*given, "--read-only-root").exit_code == 0
    for _ in range(2):
        done = command(*given)
        assert done.exit_code == 0, done.output
        assert not (card / FLAG).exists()
        assert (card / "cmdline.txt").read_text("utf-8") == has


@pytest.mark.skipif(shutil.which("mcopy") is None, reason="mtools is not installed")
def test_of_an_image_the_file_is_changed_as_well(tmp_path, package):
    image = tmp_path / "raspios.img"
    drive = image_of(image)
    (tmp_path / "cmdline.txt").write_text("rootwait resize\n", encoding="utf-8")
    put = ["mcopy", "-i", drive, str(tmp_path / "cmdline.txt"), "::cmdline.txt"]
    subprocess.run(put, check=True)
    words = [image, "--package", package, "--deb", tmp_path / "gateway.deb", "--read-only-root"]
    assert command(*words).exit_code == 0
    shown = subprocess.run(["mtype", "-i", drive, "::cmdline.txt"], capture_output=True, check=True)
    assert shown.stdout == b"rootwait\n"
    assert command(*words[:-1]).exit_code == 0
    shown = subprocess.run(["mtype", "-i", drive, "::cmdline.txt"], capture_output=True, check=True)
    assert shown.stdout == b"rootwait resize\n"
    words = ["mdir", "-b", "-i", drive, "::dockledger"]
    listed = subprocess.run(words, capture_output=True, check=True)
    assert b"gateway.toml" in listed.stdout and b"read-only-root" not in listed.stdout


@pytest.mark.skipif(shutil.which("mcopy") is None, reason="mtools is not installed")
def test_an_image_gets_the_same_files_without_root_and_again(tmp_path, package):
    image = tmp_path / "raspios.img"
    drive = image_of(image)
    for _ in range(2):
        done = command(image, "--package", package, "--deb", tmp_path / "gateway.deb")
        assert done.exit_code == 0, done.output
    shown = subprocess.run(
        ["mtype", "-i", drive, "::dockledger/dockledger-enrol.toml"],
        capture_output=True,
        check=True,
    )
    assert shown.stdout == b'claim = "ABCD"\n'
    deb = tmp_path / "copied.deb"
    words = ["mcopy", "-n", "-i", drive, "::dockledger/debs/gateway.deb", str(deb)]
    subprocess.run(words, check=True)
    assert deb.read_bytes() == (tmp_path / "gateway.deb").read_bytes()


IMAGES = {
    "empty": b"",
    "no partition table": bytes(2048),
    "no FAT": bytes(450) + b"\x83" + bytes(59) + b"\x55\xaa",
    "still packed": b"\xfd7zXZ\x00" + bytes(2000),
}


@pytest.mark.parametrize("data", IMAGES.values(), ids=IMAGES)
def test_what_is_no_image_is_refused(tmp_path, data):
    image = tmp_path / "raspios.img"
    image.write_bytes(data)
    with pytest.raises(CardRefused):
        fat_offset(image)


def test_a_target_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CardRefused, match="neither a folder nor an image"):
        write_card(tmp_path / "nothing", {}, {})


WRONG = {
    "no package": (["--package", "nowhere"], "cannot be read"),
    "no deb": (["--deb", "x.deb"], "is no package"),
    "a read-only root of no Pi": (["--read-only-root"], "has no cmdline.txt"),
    "Wi-Fi without a password": (["--wifi", "halle"], "has no password"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_a_mistake_leaves_the_card_as_it_was(tmp_path, package, words, said):
    card = tmp_path / "bootfs"
    card.mkdir()
    given = ["--package", package, "--deb", tmp_path / "gateway.deb", *words]
    done = command(card, *given)
    assert done.exit_code == 2
    assert said in done.output
    assert not list(card.iterdir())
