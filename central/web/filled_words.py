"""What is proposed about balances that are, or were, below zero, in words. Pure."""

from central.web.words import marked

PATTERNS: tuple[tuple[str, str], ...] = (
    (
        r"Take (?P<amount>\S+) (?P<unit>\S*) back that filled (?P<place>.+): as much came after "
        r"all\.",
        marked("Take %(amount)s %(unit)s back that filled %(place)s: as much came after all."),
    ),
    (
        r"Take (?P<amount>\S+) (?P<unit>\S*) back that were found of (?P<order>.+): its facts tell "
        r"of them by now\.",
        marked(
            "Take %(amount)s %(unit)s back that were found of %(order)s: its facts tell of them by "
            "now."
        ),
    ),
    (
        r"Leave it so: (?P<amount>\S+) (?P<unit>\S*) are under way until (?P<order>.+) is closed "
        r"with a reason\.",
        marked(
            "Leave it so: %(amount)s %(unit)s are under way until %(order)s is closed "
            "with a reason."
        ),
    ),
    (
        r"Leave it so, if (?P<amount>\S+) (?P<unit>\S*) more are there: count (?P<place>.+)\.",
        marked("Leave it so, if %(amount)s %(unit)s more are there: count %(place)s."),
    ),
    (
        r"(?P<count>.+) counted (?P<place>.+), and something came late for it: "
        r"the book alone lacks (?P<amount>\S+) (?P<unit>\S*)\.",
        marked(
            "%(count)s counted %(place)s, and something came late for it: "
            "the book alone lacks %(amount)s %(unit)s."
        ),
    ),
)
