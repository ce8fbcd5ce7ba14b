"""The words with which QEMU is started as a guest (qemu.org/docs, qemu-system). Pure.

The guest is emulated (TCG): it needs no KVM, no rights, and behaves the same everywhere, some
fifteen times slower than its host.
"""

from pathlib import Path

from tests.hardware.image import DISK_PORTS, MEMORY_MB, Image

EMULATORS = {
    "amd64": ("qemu-system-x86_64", "q35", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+lahf-lm"),
    "arm64": ("qemu-system-aarch64", "virt,gic-version=3", "cortex-a72"),
}
PLUGGED, PLUGGED_PORT = "under-test", DISK_PORTS - 2  # The disk that a frozen guest may have.
# A run that is killed leaves no guest behind.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
CONSOLES = {"amd64": "ttyS0", "arm64": "ttyAMA0"}
# What tests of devices do not look at, and an emulated boot takes seconds for.
KERNEL_WORDS = (
    "quiet loglevel=4 panic=-1 mitigations=off nokaslr audit=0 random.trust_cpu=on rootwait"
    " systemd.show_status=no systemd.default_timeout_start_sec=300"
)


def emulator_words(
    image: Image, folder: Path, disk: Path, *, resumed: bool, plugged: Path | None
) -> list[str]:
    """Return them. folder: of its sockets and console. disk: its overlay. plugged: read only."""
    program, machine, processor = EMULATORS[image.architecture]
    words = f"console={CONSOLES[image.architecture]} {KERNEL_WORDS}"
    if image.architecture == "amd64":
        words += " tsc=reliable no_timer_check"
    chosen = [*DIES_WITH_US, program, "-M", machine, "-cpu", processor]
    chosen += ["-accel", "tcg,thread=multi,tb-size=512"]
    chosen += ["-smp", "1", "-m", str(MEMORY_MB), "-nodefaults", "-no-user-config"]
    chosen += ["-display", "none", "-no-reboot", "-serial", f"file:{folder}/console.log"]
    chosen += ["-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", words]
    drive = f"id=root,if=none,file={disk},format=qcow2,cache=unsafe"
    chosen += ["-drive", drive, "-device", "virtio-blk-pci,drive=root"]
    chosen += ["-qmp", f"unix:{folder}/monitor,server=on,wait=off"]
    chosen += ["-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off"]
    chosen += ["-device", "virtio-serial-pci", "-device", "virtio-rng-pci"]
    chosen += ["-device", "virtserialport,chardev=agent,name=dockledger.lab"]
    chosen += ["-device", "qemu-xhci,id=usb,p2=8,p3=8"]
    chosen += ["-device", "i6300esb", "-watchdog-action", "reset"] if "q35" in machine else []
    for port in range(DISK_PORTS):
        chosen += ["-device", f"pcie-root-port,id=port{port},chassis={port + 1},slot={port + 1}"]
    if plugged is not None:
        node = f"driver=raw,node-name={PLUGGED},read-only=on,file.driver=file"
        chosen += ["-blockdev", f"{node},file.filename={plugged}"]
        device = f"virtio-blk-pci,drive={PLUGGED},id=disk-{PLUGGED},serial={PLUGGED}"
        chosen += ["-device", f"{device},bus=port{PLUGGED_PORT}"]
    if resumed:
        chosen += ["-S", "-incoming", f"exec:zstd -q -d -c {image.ready_state}"]
    return chosen
