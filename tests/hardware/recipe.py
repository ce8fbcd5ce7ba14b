"""What the guest is made of: packages of Debian, and what of them is left out. Pure."""

PACKAGES = [
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "kmod",
    "python3",
    "iproute2",
    "procps",
    "nftables",
    "e2fsprogs",
    "busybox-static",
    "adduser",
    "libdbus-1-3",
    # What our packages depend on, and the broker, as Debian has them: a guest has no network.
    "init-system-helpers",
    "libstdc++6",
    "mosquitto",
    "python3-cryptography",
    "sudo",
    # The database of a large central, for its power cuts.
    "postgresql",
]
UNWANTED_PATHS = ("man", "doc", "locale", "info", "bash-completion")
# 120 MB with which PostgreSQL compiles long queries; it works without.
UNWANTED_FILES = ("/usr/lib/*/libLLVM*", "/usr/lib/postgresql/*/lib/llvmjit*", "*/lib/bitcode/*")
BOOT_MODULES = ("virtio_pci", "virtio_mmio", "virtio_blk", "ext4", "crc32c_generic", "crc32c_intel")
# Or its package makes a database of its own, which nobody here uses.
NO_DATABASE = (
    'mkdir -p "$1/etc/postgresql-common";'
    ' echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"'
)
# Made by the packages' scripts, another one each time: logs, caches, a key for tests of TLS.
MADE_HERE = (
    "var/cache/apt",
    "var/cache/ldconfig",
    "var/cache/debconf/*",
    "var/cache/fontconfig",
    "var/lib/apt/lists",
    "var/lib/systemd/catalog/database",
    "var/log/*.log",
    "var/log/apt",
    "etc/ssl/private/ssl-cert-snakeoil.key",
    "etc/ssl/certs/ssl-cert-snakeoil.pem",
    "usr/share/doc",
    "usr/lib/firmware",
)
# Started by nobody here: each costs a second or two of an emulated boot.
MASKED_UNITS = [
    "systemd-timesyncd.service",
    "systemd-networkd.service",
    "systemd-networkd-wait-online.service",
    "systemd-resolved.service",
    "systemd-pstore.service",
    "systemd-logind.service",
    "systemd-hwdb-update.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-firstboot.service",
    "systemd-random-seed.service",
    "systemd-machine-id-commit.service",
    "systemd-user-sessions.service",
    "ldconfig.service",
    "getty.target",
    "getty@tty1.service",
    "serial-getty@ttyS0.service",
    "serial-getty@ttyAMA0.service",
    "e2scrub_reap.service",
    "e2scrub_all.timer",
    "fstrim.timer",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "systemd-tmpfiles-clean.timer",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "proc-sys-fs-binfmt_misc.automount",
    "remote-fs.target",
    "nftables.service",
    "postgresql.service",
]
