"""Which language somebody reads: what was asked for, else remembered, else preferred. Pure."""

LANGUAGES = ("en", "zh")
LANGUAGE_DEFAULT = "en"
LANGUAGE_COOKIE = "dockledger_language"
ACCEPT_CHARACTERS_MAX = 256


def choose_language(*, asked: str, cookie: str, accept: str) -> str:
    """Return "en" or "zh": what was asked for, else remembered, else what the browser prefers.

    asked, cookie: a language or anything else, which counts as nothing.
    accept: the Accept-Language header (RFC 9110, section 12.5.4).
    """
    for choice in (asked, cookie):
        if choice in LANGUAGES:
            return choice
    preferences = [_preference(part) for part in accept[:ACCEPT_CHARACTERS_MAX].split(",")]
    for weight, language in sorted(preferences, key=lambda preference: -preference[0]):
        if weight > 0 and language in LANGUAGES:
            return language
    return LANGUAGE_DEFAULT


def _preference(part: str) -> tuple[float, str]:
    tag, _, parameter = part.strip().partition(";")
    language = tag.strip().lower().split("-")[0]
    name, _, weight = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0, language
    try:
        return float(weight), language
    except ValueError:
        return 0.0, language
