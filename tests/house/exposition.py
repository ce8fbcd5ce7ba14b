"""Reads Prometheus's text format 0.0.4 strictly, as its page describes it. Pure."""

import re
from dataclasses import dataclass

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)?\}})? (\S+)(?: (-?\d+))?")


@dataclass(frozen=True)
class Family:
    """One figure: its kind, its help, its samples by their labels."""

    kind: str
    help: str
    samples: dict[str, float]


def parse(text):
    """Return {name: Family}; AssertionError for anything that a scraper would refuse or mistake."""
    assert text.endswith("\n")
    found, current = {}, ""
    helps = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, said = line[7:].split(" ", 1)
            assert name not in helps, f"{name} has two helps"
            helps[name] = said
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name not in found, f"{name} stands in two places"
            assert kind in {"counter", "gauge"}
            found[name], current = Family(kind, helps.get(name, ""), {}), name
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line!r}"
            assert match[1] == current, f"{match[1]} stands among {current}"
            labels = match[2] or ""
            assert labels not in found[current].samples, f"{line!r} twice"
            found[current].samples[labels] = float(match[3])
    return found
