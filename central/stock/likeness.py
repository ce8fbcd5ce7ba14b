"""What two names or codes have in common when they probably mean the same. Pure."""

import re
import unicodedata

# Chinese is written without spaces, also before and behind what is not: "六角螺栓M8".
HAN = "\u3400-\u9fff"
WORD = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
TIMES = re.compile(r"(?<=\d)\s*[x×*]\s*(?=\d)")  # In "M8 x 40", which is "M8×40".
DIGITS = re.compile(r"\d+")


def name_likeness(name: str) -> str:
    """Return the words of a name, whatever their order, case and punctuation; "" for no words."""
    folded = TIMES.sub("x", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(sorted(WORD.findall(folded)))


def code_likeness(code: str) -> str:
    """Return a code without punctuation, case and zeros in front of its numbers."""
    folded = unicodedata.normalize("NFKC", code).casefold()
    return "".join(
        DIGITS.sub(lambda run: run[0].lstrip("0") or "0", word) for word in WORD.findall(folded)
    )


def phone_likeness(phone: str) -> str:
    """Return the last ten digits of a telephone number, "" if it has fewer than seven."""
    digits = "".join(DIGITS.findall(phone))
    return digits[-10:] if len(digits) >= 7 else ""
