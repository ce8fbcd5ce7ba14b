"""What each alert says, what to do about it, and where. Pure."""

from urllib.parse import quote, urlencode

from central.stock.alerts import SAFETY_KINDS, Alert, AlertKind
from central.web.texts import Texts
from central.web.words import GATEWAY_PROBLEMS, marked

# Kind -> what it is, what somebody does about it.
ALERTS: dict[AlertKind, tuple[str, str]] = {
    "negative_stock": (
        marked("Stock below zero"),
        marked("Count the place, or settle the discrepancy that names it."),
    ),
    "below_safety": (
        marked("Below the safety stock"),
        marked("Order it now, or transfer it from a warehouse that has more."),
    ),
    "below_minimum": (marked("Below the minimum"), marked("Order it, or transfer some of it.")),
    "above_maximum": (
        marked("Above the maximum"),
        marked("Hold back orders of it, or transfer some to another warehouse."),
    ),
    "lot_expired": (marked("Lot expired"), marked("Take it off the shelf: scrap or return it.")),
    "lot_unshippable": (
        marked("Lot too near its expiry to be shipped"),
        marked("Sell it to somebody who takes it, or scrap it in time."),
    ),
    "lot_expiring": (marked("Lot expires soon"), marked("Ship this lot first.")),
    "transfer_overdue": (
        marked("Transfer under way too long"),
        marked("Ask the destination whether it arrived; then receive it or close the transfer."),
    ),
    "purchase_overdue": (
        marked("Purchase order overdue"),
        marked("Ask the supplier for a new day, or close the lines that will not come."),
    ),
    "sales_overdue": (
        marked("Sales order overdue"),
        marked("Ship it today, or promise the customer a new day."),
    ),
    "gateway_problem": (
        marked("Gateway has a problem"),
        marked("Do what its page says; its scans are kept meanwhile."),
    ),
    "gateway_silent": (
        marked("Gateway is silent"),
        marked("Look at its power and network cable; it keeps its scans."),
    ),
    "gateway_lagging": (
        marked("Gateway is behind"),
        marked("Look at its network: facts wait to be sent."),
    ),
    "gateway_lost": (
        marked("Facts lost with a card"),
        marked("Count where this gateway worked on its last day."),
    ),
    "gateway_disk": (
        marked("Disk of a gateway nearly full"),
        marked("Make space on it before it can record no more."),
    ),
    "update_failed": (
        marked("Update given up"),
        marked(
            "The release before it runs. Mend the release and offer it under a new number, or run"
            " `dockledger-update retry` there."
        ),
    ),
    "device_not_ready": (marked("Device not ready"), marked("Do what stands beside the device.")),
    "clock_unsynced": (
        marked("Clock of a gateway not set"),
        marked("Give the gateway a time server; its times are corrected here."),
    ),
    "shard_unserved": (
        marked("Nobody takes some facts"),
        marked("Start a worker for these shards; gateways keep their facts."),
    ),
    "discrepancy_fork": (
        marked("Another card speaks in its name"),
        marked("Find the second card or machine and stop it."),
    ),
    "discrepancy_overdue": (
        marked("Discrepancy past its day"),
        marked("Settle it, or give it a new day."),
    ),
    "discrepancy_old": (
        marked("Discrepancy open for a week"),
        marked("Settle it, or give it an owner and a day."),
    ),
    "quarantined": (
        marked("Payloads in quarantine"),
        marked("Look at the reason and the bytes; enrol or repair the gateway."),
    ),
    "login_failures": (
        marked("Sign-in fails repeatedly"),
        marked("Ask whose address that is; give the person a new password, or block the address."),
    ),
    "credential_refused": (
        marked("A key or a proof of identity was refused"),
        marked("Find who used it, and from where; if it is yours, give that program a new token."),
    ),
    "connections_held": (
        marked("Somebody holds connections open"),
        marked("Block that address in the firewall; if it is your proxy, name it under [http]."),
    ),
    "broker_refused": (
        marked("The broker refused somebody"),
        marked(
            "Find the machine: a stolen card, a wrong setting or an attack. Revoke the certificate"
            " if it is yours, or block the address."
        ),
    ),
    "enrolment_refused": (
        marked("Enrolment tried in vain"),
        marked("Find out who has the code; withdraw the claim and make a new one."),
    ),
    "gateway_cloned": (
        marked("Two machines, one certificate"),
        marked("Find the second card, revoke the certificate, enrol the gateway anew."),
    ),
    "revocation_list_ends": (
        marked("Revocation list ends soon"),
        marked("Let central write the broker's folder, or gateways cannot connect any more."),
    ),
    "revoked_seen": (
        marked("Revoked gateway tries again"),
        marked("Find the machine: it was stolen or not yet replaced."),
    ),
    "certificate_expiring": (
        marked("Certificate expires soon"),
        marked("Let the gateway reach central: it renews by itself; else enrol it anew."),
    ),
    "certificate_expired": (
        marked("Certificate has expired"),
        marked("Connect the gateway so that it renews, or enrol it anew."),
    ),
    "restarting": (
        marked("Starts again and again"),
        marked("Read its log; roll back its last update, or replace its card."),
    ),
    "machine_disk": (
        marked("Ledger's disk nearly full"),
        marked("Make room on it, or move the ledger to a larger one, before it stops."),
    ),
    "backup_failed": (
        marked("The last backup failed"),
        marked("Mount the place that is named, make room on it, and make the backup again."),
    ),
    "backup_old": (
        marked("No good backup for 26 hours"),
        marked("Look at the backup timer and its places, then make a backup now."),
    ),
    "drill_failed": (
        marked("The restore drill failed"),
        marked("Take an older backup and drill again; do not rely on the newest."),
    ),
    "drill_old": (
        marked("No restore drill for 30 days"),
        marked("Run the restore drill with the private key."),
    ),
    "mail_failing": (
        marked("Alerts cannot be mailed"),
        marked("Check the mail server, its password and the address."),
    ),
    "webhook_failing": (
        marked("Subscriber takes no messages"),
        marked("Ask whoever runs the program at that address."),
    ),
}
# Why a payload was refused.
REFUSALS = GATEWAY_PROBLEMS | {
    "unreadable": marked("cannot be read: of another version, or of no gateway at all"),
}
# Why a connection, a key or a proof was refused.
HELD_BACK = {
    "token_dismissed": marked("token of somebody who is not let in any more"),
    "token_ended": marked("token that was taken back, or is past its day"),
    "token_unknown": marked("no token of ours, or a wrong secret"),
    "oidc_forged": marked("answer of an identity provider that cannot be trusted"),
    "oidc_not_begun": marked("sign-in that was not begun in that browser, or used twice"),
    "connection_slow": marked("requests that come too slowly, answers that are not read"),
    "connections_many": marked("more connections than one address may hold"),
    "broker_publish": marked("published what it may not: in another's name, or revoked"),
    "broker_subscribe": marked("asked to read what is not its own, and gets nothing of it"),
    "broker_certificate": marked("certificate that is revoked, past its day or of a stranger"),
    "broker_no_certificate": marked("came without a certificate"),
    "broker_handshake": marked("no TLS, or none that the broker takes"),
    "broker_login": marked("name and password that are not right"),
    "broker_full": marked("as many connections as the broker takes were there"),
}
# By kind of alert: what its lot stands for.
REASONS: dict[AlertKind, dict[str, str]] = {
    "quarantined": REFUSALS,
    "credential_refused": HELD_BACK,
    "connections_held": HELD_BACK,
    "broker_refused": HELD_BACK,
}
# What these say beside their codes was noted in English.
NOTED_KINDS: frozenset[AlertKind] = frozenset({"update_failed", "backup_failed", "drill_failed"})
# What has no page of its own about its subject.
ELSEWHERE: dict[AlertKind, str] = {
    "shard_unserved": "/gateways",
    **dict.fromkeys(SAFETY_KINDS, "/alerts"),
}
SEVERITIES = {"bad": marked("Act now"), "warn": marked("See to it")}


def alert_url(alert: Alert) -> str:
    """Return the address of this site where somebody sees to an alert."""
    kind, subject = alert.kind, quote(alert.subject, safe="")
    if kind == "negative_stock":
        return place_url(alert.warehouse, alert.location)
    if kind.startswith(("below", "above", "lot")):
        return f"/items/{subject}"
    if kind == "transfer_overdue":
        return f"/transfers/{subject}"
    if kind == "purchase_overdue":
        return f"/purchase-orders/{subject}"
    if kind == "sales_overdue":
        return f"/sales-orders/{subject}"
    if kind.startswith("discrepancy"):
        return f"/discrepancies/{subject}"
    if kind == "quarantined":
        return "/quarantine?" + urlencode({"gateway": alert.subject})
    if kind in ELSEWHERE or alert.subject == "central":
        return ELSEWHERE.get(kind, "/alerts")
    return f"/gateways/{subject}"


def alert_name(alert: Alert, texts: Texts) -> str:
    """Return the name of what an alert is about, or what was noted of it; "" for neither."""
    if alert.kind in NOTED_KINDS:
        return " · ".join(texts.sentence(line) for line in alert.name.splitlines())
    return texts.name(english=alert.name, chinese=alert.name_zh)


def alert_reason(alert: Alert, texts: Texts) -> str:
    """Return why something was refused, in words; "" for other alerts."""
    return texts.word(REASONS[alert.kind], alert.lot) if alert.kind in REASONS else ""


def unit_url(warehouse: str, sscc: str) -> str:
    """Return the page of a pallet or carton."""
    return f"/warehouses/{quote(warehouse, safe='')}/handling-units/{quote(sscc, safe='')}"


def place_url(warehouse: str, location: str) -> str:
    """Return the page of a place."""
    return f"/warehouses/{quote(warehouse, safe='')}/places/{quote(location, safe='')}"
