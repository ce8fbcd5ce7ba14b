"""Why something settled itself as facts were taken back, or what was taken back twice. Pure.

In words of both languages.
"""

from central.web.words import marked

# What the ledger says -> how it is translated: what a group matches stands there by its name.
TAKEN_BACK: tuple[tuple[str, str], ...] = (
    (
        r"record (?P<number>\d+) was taken back, and nothing else is behind it",
        marked("Settled itself: record %(number)s was taken back, and nothing else is behind it."),
    ),
    (
        r"record (?P<number>\d+) was taken back as \S+ (?P<subject>.+) was settled, "
        r"and nothing else is behind it",
        marked(
            "Settled itself: record %(number)s was taken back as %(subject)s was settled, "
            "and nothing else is behind it."
        ),
    ),
    (
        r"record (?P<number>\d+) was taken back as \S+ (?P<subject>.+) was opened again, "
        r"and nothing else is behind it",
        marked(
            "Settled itself: record %(number)s was taken back as %(subject)s was opened again, "
            "and nothing else is behind it."
        ),
    ),
    (
        r"since record (?P<number>\d+) nothing is left of it under (?P<document>.+)",
        marked("Settled itself: since record %(number)s nothing is left of it under %(document)s."),
    ),
    (
        r"since record (?P<number>\d+) nothing of it is under way",
        marked("Settled itself: since record %(number)s nothing of it is under way."),
    ),
    (
        r"record (?P<number>\d+) takes (?P<fact>\S+) back, which had moved nothing",
        marked("Settled itself: record %(number)s takes %(fact)s back, which had moved nothing."),
    ),
    (
        r"record (?P<number>\d+) takes out again what never was in (?P<unit>.+)",
        marked("Settled itself: record %(number)s takes out again what never was in %(unit)s."),
    ),
    (
        r"record (?P<number>\d+) was taken back, and what was lost is set aside again",
        marked(
            "Settled itself: record %(number)s was taken back, and what was lost is set aside "
            "again."
        ),
    ),
    (
        r"\S+ (?P<subject>.+) was settled, and what was lost is set aside again",
        marked("Settled itself: %(subject)s was settled, and what was lost is set aside again."),
    ),
    (
        r"\S+ (?P<subject>.+) was opened again, and what was lost is set aside again",
        marked(
            "Settled itself: %(subject)s was opened again, and what was lost is set aside again."
        ),
    ),
    (
        r"record (?P<number>\d+) left the pieces there with a weight of (?P<amount>\S+)",
        marked("Settled itself: since record %(number)s the pieces there weigh %(amount)s."),
    ),
    (
        r"record (?P<number>\d+) left no pieces there",
        marked("Settled itself: since record %(number)s no pieces are there."),
    ),
    (
        r"what had been reversed as too much stands again",
        marked("Settled itself: what had been reversed as too much stands again."),
    ),
    (
        r"Take the reversing of (?P<amount>\S+) (?P<unit>\S*) back: "
        r"what was wrong is undone by now\.",
        marked("Take the reversing of %(amount)s %(unit)s back: what was wrong is undone by now."),
    ),
    (
        r"Leave it so, if (?P<amount>\S+) (?P<unit>\S*) were wrong as well: count (?P<place>.*)\.",
        marked("Leave it so, if %(amount)s %(unit)s were wrong as well: count %(place)s."),
    ),
    (
        r"Leave it so: (?P<document>\S+) has as much as it expects\.",
        marked("Leave it so: %(document)s has as much as it expects."),
    ),
)
