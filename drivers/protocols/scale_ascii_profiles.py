"""Lines of well-known scales as data for the configurable ASCII scale. Pure.

Sources: Ohaus 3000 series indicator manual, section 5.2 (fields), Defender 5000 manual, page 27
(IP); Rice Lake 482 manual, figure 3-14, and 680 manual, figure 11-1 (stream format); Sartorius
Master series manual, page 5-5, EC1XS manual, page 11 (22 characters, Stat, ID codes), Entris II
manual (blank unit while in motion); Dibal G310 serial settings as published by sbzsystems, DPOS400
manual, page 41 (a zero also for overload); replies of a Sterling 7600 recorded by the project
avodah-dev/scale-interface.
"""

from collections.abc import Mapping
from typing import Literal

from drivers.protocols.scale_ascii import AsciiForm

ProfileName = Literal["ohaus", "rice-lake", "sartorius-sbi-22", "dibal-98-99", "sterling"]

PROFILES: Mapping[ProfileName, AsciiForm] = {
    # "-   1.500 kg   ?NET": polarity, blank, weight 7, blank, unit 5, stability, legend 3.
    "ohaus": AsciiForm(
        pattern=(
            r"(?P<sign>[ -]) (?P<weight>[ .\d]{7}) (?P<unit>[A-Za-z%: ]{5})"
            r"(?P<stable>[ ?])(?P<mode>[A-Z ]{3})"
        ),
        stable_texts=("",),
        moving_texts=("?",),
        gross_texts=("", "G"),
        net_texts=("NET", "N"),
        poll=b"IP\r\n",
    ),
    # STX, polarity, weight 7, unit, G or N, status. T is a short or a metric ton: not taken.
    "rice-lake": AsciiForm(
        pattern=(
            r"\x02(?P<sign>[ -])(?P<weight>[ .\d]{7})(?P<unit>[LKTGO ])"
            r"(?P<mode>[GN])(?P<stable>[ IMOZ])"
        ),
        units={"L": "lb", "K": "kg", "G": "g", "O": "oz"},
        stable_texts=("", "Z"),
        moving_texts=("M",),
        gross_texts=("G",),
        net_texts=("N",),
        errors={"I": "not_ready", "O": "overload"},
    ),
    # "N     +   0.1234 g  ": ID 6, sign, blank, weight 8, blank, unit 3 only when stable.
    "sartorius-sbi-22": AsciiForm(
        pattern=(
            r"(?P<mode>[A-Z ][A-Z\d# ]{5})(?P<sign>[ +-]) (?P<weight>[ .\d]{8}) "
            r"(?P<unit>[A-Za-z%/ ]{3})"
        ),
        is_blank_unit_moving=True,
        gross_texts=("", "G", "G#"),
        net_texts=("N", "N1"),
        errors={
            "Stat High": "overload",
            "Stat H": "overload",
            "Stat Low": "underload",
            "Stat L": "underload",
            "Stat Cal.": "zero_error",
            "Stat Cal.Ext.": "zero_error",
            "Stat Cal.Int.": "zero_error",
            "Stat C": "zero_error",
            "Stat ERR": "zero_error",
            "Stat": "not_ready",
        },
        poll=b"\x1bP\r\n",
    ),
    # "9900031600000004": 99, state, weight 5 with 3 decimals, 7 digits, exclusive or of all.
    "dibal-98-99": AsciiForm(
        pattern=r"99(?P<stable>\d)(?P<weight>[ \d]{5})\d{7}[ -~]",
        unit="kg",
        stable_texts=("0",),
        errors={str(state): "not_ready" for state in range(1, 10)},
        decimals_count=3,
        checksum="xor",
        is_zero_fault=True,
        poll=b"98000001\r\n",
    ),
    # "SGWGross   0.010 lb": our command, then what it asked. A cut echo is refused, not guessed.
    "sterling": AsciiForm(
        pattern=r"S[GN]W(?P<mode>Gross|Net  )(?P<weight>[ .\d-]{8}) (?P<unit>[a-z]{2})",
        gross_texts=("Gross",),
        net_texts=("Net",),
        poll=b"SGW\r",
    ),
}
