#!/bin/sh
# Called by cloud-init at every boot (bootcmd): puts the service of the first boot in place and
# starts it, until that has come to its end. It waits for nothing: the boot goes on.
set -u

ROOT="${DOCKLEDGER_ROOT:-}" # For tests; empty on a machine.
CARD="$(dirname "$0")"
UNIT="$ROOT/run/systemd/system/dockledger-first-boot.service"

[ ! -e "$ROOT/var/lib/dockledger-first-boot/done" ] || exit 0
# In /run: nothing of it is left half written by a power cut.
mkdir -p "$(dirname "$UNIT")"
cp "$CARD/dockledger-first-boot.service" "$UNIT"
systemctl daemon-reload
systemctl start --no-block dockledger-first-boot.service
