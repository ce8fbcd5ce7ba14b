#!/bin/sh
# Makes a gateway of this machine, from the folder `dockledger` of the boot partition.
#
# Run at each boot until it has come to its end once. Every step may be cut off and is done again:
# a file is copied aside, synced and renamed; dpkg mends what a cut left half done; the marker is
# written last. cloud-init's own modules are not relied upon: they count as done before they begin.
# A root that is only read is the last step but the marker: where it is, the others are done.
set -eu

ROOT="${DOCKLEDGER_ROOT:-}" # For tests; empty on a machine.
CARD="${1:?the folder of the boot partition}"
DONE="$ROOT/var/lib/dockledger-first-boot/done"
SETTINGS="$ROOT/etc/dockledger-gateway"
SWITCH="$ROOT/usr/sbin/dockledger-root"

say() { echo "dockledger-first-boot: $*"; }

# place FILE TARGET MODE OWNER: the whole file or none, and durable.
place() {
  mkdir -p "$(dirname "$2")"
  rm -f "$2.new"
  cp "$1" "$2.new"
  chmod "$3" "$2.new"
  chown "$4" "$2.new"
  sync "$2.new"
  mv -f "$2.new" "$2"
  sync "$(dirname "$2")"
}

# switched: the next boot has a root that is only read.
switched() { "$SWITCH" status 2>/dev/null | grep -q '^next boot *read-only$'; }

start_anew() {
  say "the root is switched, the machine starts anew"
  systemctl --no-block reboot
  exit 0
}

# A switch that was killed outright has left them masked.
unmask() {
  systemctl unmask --runtime dockledger-gateway.service dockledger-update.service \
    dockledger-gateway-backup.service dockledger-gateway-backup.timer
}

finish() {
  mkdir -p "$(dirname "$DONE")"
  date -u +%Y-%m-%dT%H:%M:%SZ >"$DONE.new"
  sync "$DONE.new"
  mv -f "$DONE.new" "$DONE"
  sync "$(dirname "$DONE")"
  say "done"
}

if [ -e "$DONE" ]; then
  say "done before"
  exit 0
fi
if [ ! -w "$ROOT/usr" ]; then
  say "the root is only read: all but the marker is done"
  finish
  exit 0
fi

say "1 of 6: packages"
export DEBIAN_FRONTEND=noninteractive
dpkg --force-confdef --force-confold --configure -a
# All that is on the card, dependencies too where there is no network; what is installed stays.
if ! dpkg-query -W -f '${Status}' dockledger-gateway 2>/dev/null | grep -q ' installed$'; then
  apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
    --fix-broken || true
  apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
    "$CARD"/debs/*.deb
fi

say "2 of 6: who looks after it"
if [ -s "$CARD/admin-keys" ]; then
  ADMIN="$(cat "$CARD/admin-name")"
  id "$ADMIN" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups sudo "$ADMIN"
  place "$CARD/admin-keys" "$ROOT/home/$ADMIN/.ssh/authorized_keys" 0600 "$ADMIN:$ADMIN"
  chown "$ADMIN:$ADMIN" "$ROOT/home/$ADMIN/.ssh"
  chmod 0700 "$ROOT/home/$ADMIN/.ssh"
  place "$CARD/sshd.conf" "$ROOT/etc/ssh/sshd_config.d/10-dockledger.conf" 0644 root:root
  place "$CARD/sudoers" "$ROOT/etc/sudoers.d/dockledger" 0440 root:root
fi

say "3 of 6: time"
if [ -s "$CARD/chrony.conf" ]; then
  # Whichever of the two keeps the time here: chrony, or Raspberry Pi OS's own.
  place "$CARD/chrony.conf" "$ROOT/etc/chrony/conf.d/dockledger.conf" 0644 root:root
  place "$CARD/timesyncd.conf" "$ROOT/etc/systemd/timesyncd.conf.d/dockledger.conf" 0644 root:root
  systemctl try-restart chrony.service systemd-timesyncd.service || true
fi

say "4 of 6: settings and claim"
if [ ! -e "$SETTINGS/gateway.toml" ]; then
  place "$CARD/gateway.toml" "$SETTINGS/gateway.toml" 0640 root:dockledger-gateway
fi
if [ -s "$CARD/update.pub" ]; then
  place "$CARD/update.pub" "$SETTINGS/update.pub" 0644 root:root
fi
if [ -s "$CARD/update.toml" ]; then
  place "$CARD/update.toml" "$SETTINGS/update.toml" 0644 root:root
fi
if [ -s "$CARD/dockledger-enrol.toml" ]; then
  place "$CARD/dockledger-enrol.toml" "$SETTINGS/dockledger-enrol.toml" 0600 \
    dockledger-gateway:dockledger-gateway
  # Whoever holds the card reads this partition: the claim does not stay there.
  rm -f "$CARD/dockledger-enrol.toml"
  sync "$CARD"
fi

say "5 of 6: the gateway"
if [ -e "$CARD/read-only-root" ]; then
  if switched; then start_anew; fi
  unmask
fi
systemctl enable dockledger-gateway.service dockledger-clock.service

say "6 of 6: the root"
if [ -e "$CARD/read-only-root" ]; then
  # What cloud-init has still to write belongs on the disk, not into memory.
  if command -v cloud-init >/dev/null; then
    timeout 600 cloud-init status --wait >/dev/null 2>&1 || say "cloud-init has not ended well"
  fi
  # The next boot finds a root that is only read, and writes the marker. Also where something failed
  # behind the switch: what the gateway recorded now would lie beneath its data, unseen.
  if "$SWITCH" read-only || switched; then start_anew; fi
  unmask
  say "the root stays writable, for the reason above: journalctl -u dockledger-first-boot"
fi
systemctl restart --no-block dockledger-clock.service dockledger-gateway.service
finish
