"""Drivers ascii-scale-serial and ascii-scale-tcp: any lines of ASCII text. Edge of the scale."""

from dataclasses import replace
from typing import Annotated, Literal

import msgspec

from drivers.builtin.scale_ports import SerialScale, TcpScale, scale_driver
from drivers.protocols.framing import LineEnd
from drivers.protocols.scale_ascii import (
    LINE_BYTES_MAX,
    AsciiForm,
    AsciiScaleProtocol,
    Checksum,
    UnitName,
)
from drivers.protocols.scale_ascii_pattern import PatternInvalid, check_pattern
from drivers.protocols.scale_ascii_profiles import PROFILES, ProfileName
from drivers.readings import FaultCode

ErrorCode = Literal["overload", "underload", "not_ready", "zero_error"]
Text = Annotated[str, msgspec.Meta(max_length=32)]
Texts = Annotated[tuple[Text, ...], msgspec.Meta(max_length=16)]
Profile = Literal["custom", "ohaus", "rice-lake", "sartorius-sbi-22", "dibal-98-99", "sterling"]


class LineOfScale(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a scale of the profile "custom" writes its lines.

    pattern: regular expression with the groups weight, sign, unit, stable, mode, error.
    line_end: what ends a line: "cr_or_lf", "cr", "lf" or "crlf".
    line_bytes_max: a longer line is noise; the longer, the simpler the pattern must be.
    units: the scale's names of units, if they are not the usual ones, such as {K = "kg"}.
    is_blank_unit_moving: a unit left blank says that the load is in motion.
    stable_texts, moving_texts: what the group stable holds.
    gross_texts, net_texts: what the group mode holds.
    errors: text to code ("overload", "underload", "not_ready", "zero_error").
    decimals_count: digits after the point where the scale sends no point.
    checksum: "none", or "xor": the last byte is the exclusive or of all before it.
    is_zero_fault: a zero is a fault, because the scale sends it for overload too.
    """

    pattern: str
    line_end: LineEnd = "cr_or_lf"
    line_bytes_max: Annotated[int, msgspec.Meta(ge=4, le=128)] = LINE_BYTES_MAX
    units: Annotated[dict[Text, UnitName], msgspec.Meta(max_length=16)] = {}
    is_blank_unit_moving: bool = False
    stable_texts: Texts = ()
    moving_texts: Texts = ()
    gross_texts: Texts = ()
    net_texts: Texts = ()
    errors: Annotated[dict[Text, ErrorCode], msgspec.Meta(max_length=32)] = {}
    decimals_count: Annotated[int, msgspec.Meta(ge=0, le=6)] | None = None
    checksum: Checksum = "none"
    is_zero_fault: bool = False

    def __post_init__(self) -> None:
        """Refuse what could hang, or could match without a weight. Raises ValueError."""
        try:
            check_pattern(self.pattern, line_bytes_max=self.line_bytes_max)
        except PatternInvalid as error:
            raise ValueError(f"pattern: {error}") from error
        needed = {
            "stable": self.stable_texts + self.moving_texts + tuple(self.errors),
            "mode": self.gross_texts + self.net_texts,
            "error": tuple(self.errors),
        }
        for group, texts in needed.items():
            if f"(?P<{group}>" in self.pattern and not texts:
                raise ValueError(f"pattern: the group {group} needs its table of texts")

    def form(self) -> AsciiForm:
        """Return the same for the protocol."""
        errors: dict[str, FaultCode] = dict(self.errors)
        return AsciiForm(
            pattern=self.pattern,
            line_end=self.line_end,
            line_bytes_max=self.line_bytes_max,
            units=self.units,
            is_blank_unit_moving=self.is_blank_unit_moving,
            stable_texts=self.stable_texts,
            moving_texts=self.moving_texts,
            gross_texts=self.gross_texts,
            net_texts=self.net_texts,
            errors=errors,
            decimals_count=self.decimals_count,
            checksum=self.checksum,
            is_zero_fault=self.is_zero_fault,
        )


class SerialAsciiScale(SerialScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of ascii-scale-serial.

    port, baud_rate, data_bits, parity, stop_bits: as set in the scale.
    poll_interval_s, polls_unanswered_max, command_timeout_s: as in SerialScale.
    profile: a well-known scale, or "custom".
    line: of "custom" alone, see LineOfScale.
    unit: the only unit to accept; what the weight is in where the line names none.
    stable_only: true if a scale that says nothing of stability sends stable weights alone;
        otherwise its weights count as in motion.
    poll: what asks for a weight, such as "W\\r\\n"; "" if the scale sends by itself; if not given,
        what the profile has.
    """

    profile: Profile = "custom"
    line: LineOfScale | None = None
    unit: UnitName | None = None
    stable_only: bool = False
    poll: Text | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together. Raises ValueError."""
        _check(self)


class TcpAsciiScale(TcpScale, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of ascii-scale-tcp.

    host, port, connect_timeout_s, poll_interval_s, polls_unanswered_max,
    command_timeout_s: as in TcpScale.
    profile, line, unit, stable_only, poll: as in SerialAsciiScale.
    """

    profile: Profile = "custom"
    line: LineOfScale | None = None
    unit: UnitName | None = None
    stable_only: bool = False
    poll: Text | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together. Raises ValueError."""
        _check(self)


def _check(settings: SerialAsciiScale | TcpAsciiScale) -> None:
    if (settings.profile == "custom") != (settings.line is not None):
        raise ValueError('line: give it with profile = "custom", and only then')
    if settings.poll is not None and not settings.poll.isascii():
        raise ValueError("poll: only ASCII characters")
    form = _form(settings)
    if form.unit is None and ("(?P<unit>" not in form.pattern or form.is_blank_unit_moving):
        raise ValueError("unit: the scale does not always name it, so it must be given here")


def _form(settings: SerialAsciiScale | TcpAsciiScale) -> AsciiForm:
    named: ProfileName | None = None if settings.profile == "custom" else settings.profile
    if named is not None:
        form = PROFILES[named]
    else:
        assert settings.line is not None
        form = settings.line.form()
    return replace(
        form,
        unit=settings.unit or form.unit,
        stable_only=settings.stable_only,
        poll=form.poll if settings.poll is None else settings.poll.encode("ascii"),
    )


def _protocol(settings: SerialAsciiScale | TcpAsciiScale) -> AsciiScaleProtocol:
    return AsciiScaleProtocol(_form(settings))


def _poll(settings: SerialAsciiScale | TcpAsciiScale, _: AsciiScaleProtocol) -> bytes:
    return _form(settings).poll


SERIAL = scale_driver(
    name="ascii-scale-serial",
    summary="Any scale that sends lines of ASCII text, described by a pattern, on a serial port.",
    settings_type=SerialAsciiScale,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="the lines described",
)
TCP = scale_driver(
    name="ascii-scale-tcp",
    summary="Any scale that sends lines of ASCII text, described by a pattern, over TCP.",
    settings_type=TcpAsciiScale,
    new_protocol=_protocol,
    poll=_poll,
    protocol_name="the lines described",
)
