"""The LLRP codec: cuts, shapes, noise, and llrpkit, which is not ours, as judge. Pure."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llrpkit.protocol import BitStr, decode_message, enums, impinj, messages, params

from drivers.protocols import llrp_requests
from drivers.protocols.llrp_answers import parse_capabilities, parse_identification, parse_rospecs
from drivers.protocols.llrp_events import Input, parse_notification
from drivers.protocols.llrp_frames import (
    MESSAGE_BYTES_MAX,
    LlrpInvalid,
    MessageReader,
    find_status,
    parameters,
)
from drivers.protocols.llrp_numbers import MessageType
from drivers.protocols.llrp_reports import EPC_BYTES_MAX, SHAPES_MAX, HeldBefore, ReportReader
from drivers.protocols.llrp_requests import InputTrigger, Inventory
from drivers.protocols.llrp_stream import LlrpStream
from drivers.readings import DeviceFault, TagRead
from tests.drivers.check_stream import check_stream

EPC = "3074257BF7194E4000001A85"


def tlv(kind, value):
    return struct.pack(">HH", kind, 4 + len(value)) + value


def tag(epc=EPC, *fields):
    return tlv(240, b"\x8d" + bytes.fromhex(epc) + b"".join(fields))


def report(*tags):
    body = b"".join(tags)
    return struct.pack(">HII", 1 << 10 | 61, 10 + len(body), 5) + body


def antenna(number):
    return b"\x81" + struct.pack(">H", number)


def seen_at(us):
    return b"\x84" + struct.pack(">Q", us)


def read(body, **options):
    return ReportReader().read(body, 0, count_max=1000, **options)[0]


def test_reports_mean_the_same_however_they_are_cut():
    stream = report(tag(EPC, antenna(1)), tag(EPC, antenna(2))) + report(tag(EPC, antenna(3)))
    expected = [
        TagRead(epc=EPC, antenna=number, raw=tag(EPC, antenna(number))) for number in (1, 2, 3)
    ]
    check_stream(lambda: LlrpStream({}), stream, expected, tail=report(tag())[:-1])


@given(data=st.binary(max_size=300))
def test_any_bytes_give_messages_or_the_one_error(data):
    reader = MessageReader()
    reader.receive_data(data)
    try:
        while (message := reader.next_message()) is not None:
            find_status(message.body)
            parse_notification(message.body, {})
            parse_capabilities(message.body)
            parse_rospecs(message.body)
            parse_identification(message.body)
            read(message.body)
    except LlrpInvalid:
        return


@given(
    flips=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 400),
)
def test_a_damaged_report_gives_what_is_sound_and_faults(flips, cut):
    body = bytearray(b"".join(tag(EPC, antenna(n), seen_at(n)) for n in range(6)))
    for place, value in flips:
        body[place % len(body)] = value
    readings = read(bytes(body[:cut]))
    assert all(isinstance(one, TagRead | DeviceFault) for one in readings)
    assert sum(len(one.raw) for one in readings) <= len(body)


@given(
    tags=st.lists(
        st.tuples(
            st.binary(min_size=1, max_size=40),
            st.lists(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16]), unique=True),
            st.integers(0, 255),
        ),
        max_size=12,
    )
)
def test_a_shape_learned_of_one_report_never_changes_another(tags):
    sizes = {2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 9: 4, 16: 4}
    bodies = [
        tlv(
            240,
            tlv(241, struct.pack(">H", len(epc) * 8) + epc)
            + b"".join(bytes([0x80 | kind]) + bytes([fill]) * sizes.get(kind, 2) for kind in kinds),
        )
        for epc, kinds, fill in tags
    ]
    alone = [reading for body in bodies for reading in read(body)]
    assert read(b"".join(bodies)) == alone


def test_reports_of_equal_length_with_other_fields_are_told_apart():
    first_spec = tag(EPC, b"\x8e\x00\x07")  # SpecIndex 7, three bytes as AntennaID.
    found = read(tag(EPC, antenna(7)) + first_spec + tag(EPC, antenna(9)))
    assert [one.antenna for one in found] == [7, 0, 9]


def test_an_epc_longer_than_a_tag_can_state_is_a_fault_and_the_next_one_is_read():
    longest, longer = (
        tlv(240, tlv(241, struct.pack(">H", size * 8) + bytes(size)))
        for size in (EPC_BYTES_MAX, EPC_BYTES_MAX + 1)
    )
    fault, found = read(longer + longest)
    assert isinstance(fault, DeviceFault)
    assert fault.code == "unreadable"
    assert found.epc == "00" * EPC_BYTES_MAX


def test_the_shapes_that_are_remembered_are_few():
    reader = ReportReader()
    for size in range(1, EPC_BYTES_MAX + 1):
        epc = tlv(241, struct.pack(">H", size * 8) + bytes(size))
        (found,) = reader.read(tlv(240, epc), 0, count_max=9)[0]
        assert found.epc == "00" * size
        assert len(reader._shapes) <= SHAPES_MAX


def test_reading_goes_on_where_the_count_ended_it():
    body = b"".join(tag(EPC, antenna(n)) for n in range(10))
    reader, offset, found = ReportReader(), 0, []
    while offset < len(body):
        some, offset = reader.read(body, offset, count_max=3)
        assert len(some) <= 3
        found += some
    assert [one.antenna for one in found] == list(range(10))


@pytest.mark.parametrize(("phase", "expected"), [(0, 0), (4095, 4095), (4096, None), (65535, None)])
def test_a_phase_beyond_a_turn_is_none(phase, expected):
    custom = tlv(1023, struct.pack(">IIH", 25882, 56, phase))
    assert read(tag(EPC, custom))[0].phase == expected


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ([seen_at(99)], True),
        ([seen_at(100)], False),
        ([b"\x85" + struct.pack(">Q", 9)], True),
        ([b"\x85" + struct.pack(">Q", 10)], False),
        ([], True),
    ],
    ids=["before", "after", "uptime-before", "uptime-after", "no-clock"],
)
def test_held_is_what_the_reader_saw_before_it_greeted_us(fields, held):
    limit = HeldBefore(utc_us=100, uptime_us=10, unstamped=True)
    assert read(tag(EPC, *fields), held_before=limit)[0].held is held


def test_a_short_parameter_with_a_length_is_not_taken_for_one_without():
    (found,) = read(tag(EPC, tlv(8, b"")))  # TagSeenCount is TV 8; found by the fuzzer.
    assert isinstance(found, DeviceFault)


def test_a_report_that_states_a_field_twice_is_not_guessed_at():
    (found,) = read(tag(EPC, antenna(1), antenna(2)))
    assert isinstance(found, DeviceFault)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack(">HII", 1 << 10 | 61, 9, 1),
        struct.pack(">HII", 1 << 10 | 61, MESSAGE_BYTES_MAX + 1, 1),
        struct.pack(">HII", 3 << 10 | 61, 10, 1),
        struct.pack(">HII", 1 << 15 | 1 << 10 | 61, 10, 1),
        b"HTTP/1.1 200",
    ],
    ids=["too-short", "too-long", "version-3", "reserved-bits", "http"],
)
def test_a_header_that_is_none_ends_it(header):
    reader = MessageReader()
    reader.receive_data(header)
    for _ in range(2):
        with pytest.raises(LlrpInvalid):
            reader.next_message()


def test_a_swarm_of_parameters_is_refused():
    with pytest.raises(LlrpInvalid):
        list(parameters(b"\x81\x00\x01" * 5000))


def test_a_readers_text_cannot_break_a_log_line():
    text = b"PA\x1b[31m\r\nhot"
    body = tlv(246, tlv(128, bytes(8)) + tlv(252, struct.pack(">H", len(text)) + text))
    (fault,) = parse_notification(body, {}).readings
    assert fault.detail == "exception: PA?[31m??hot"


INVENTORIES = [
    Inventory(),
    Inventory(antennas=(1, 3), power_index=61, mode_index=1002, session=2, hold=False),
    Inventory(
        start=InputTrigger(1, high=True),
        stop=InputTrigger(2, high=False, timeout_ms=9000),
        report_every_tags=0,
        input_ports=(3,),
    ),
    Inventory(start=InputTrigger(4, high=False), stop_ms=1500, impinj=True, keepalive_ms=250),
]


@pytest.mark.parametrize("inventory", INVENTORIES, ids=["all", "chosen", "inputs", "impinj"])
def test_llrpkit_reads_what_we_ask_for(inventory):
    data = llrp_requests.message(MessageType.ADD_ROSPEC, 3, llrp_requests.add_rospec(inventory))
    sent = decode_message(data)
    spec = sent.ro_spec
    assert sent.to_bytes(message_id=3) == data
    assert spec.ro_spec_id == llrp_requests.rospec_id(inventory) > 0
    (antennas,) = spec.spec_parameters
    assert tuple(antennas.antenna_ids) == (inventory.antennas or (0,))
    (inventory_spec,) = antennas.inventory_parameter_specs
    (configuration,) = inventory_spec.antenna_configurations
    (command,) = configuration.air_protocol_inventory_command_settings
    assert command.c1_g2_singulation_control.session == inventory.session
    control, transmitter = command.c1_g2_rf_control, configuration.rf_transmitter
    assert (control.mode_index if control else None) == inventory.mode_index
    assert (transmitter.transmit_power if transmitter else None) == inventory.power_index
    _check_boundary(spec.ro_boundary_spec, inventory)
    assert spec.ro_report_spec.n == inventory.report_every_tags
    assert bool(spec.ro_report_spec.custom) == inventory.impinj
    content = spec.ro_report_spec.tag_report_content_selector
    assert content.enable_antenna_id
    assert content.enable_last_seen_timestamp
    assert not content.enable_ro_spec_id


def _check_boundary(boundary, inventory):
    start = boundary.ro_spec_start_trigger
    stop = boundary.ro_spec_stop_trigger
    triggers = [
        (start.gpi_trigger_value, inventory.start),
        (stop.gpi_trigger_value, inventory.stop),
    ]
    for sent, wanted in triggers:
        assert (sent is None) == (wanted is None)
        if wanted is not None:
            assert (sent.gpi_port_num, sent.gpi_event) == (wanted.port, wanted.high)
            assert sent.timeout == wanted.timeout_ms
    kind = start.ro_spec_start_trigger_type
    assert kind == (1 if inventory.start is None else 3)
    assert stop.duration_trigger_value == inventory.stop_ms


@pytest.mark.parametrize("inventory", INVENTORIES, ids=["all", "chosen", "inputs", "impinj"])
def test_llrpkit_reads_how_we_configure(inventory):
    data = llrp_requests.message(MessageType.SET_READER_CONFIG, 4, llrp_requests.config(inventory))
    sent = decode_message(data)
    assert not sent.reset_to_factory_default
    assert sent.keepalive_spec.periodic_trigger_value == inventory.keepalive_ms
    assert (sent.events_and_reports is not None) == inventory.hold
    triggers = [one.port for one in (inventory.start, inventory.stop) if one]
    ports = [one.gpi_port_num for one in sent.gpi_port_current_states]
    assert ports == sorted({*triggers, *inventory.input_ports})


def test_llrpkit_reads_the_switch_for_impinjs_extensions():
    data = llrp_requests.message(MessageType.CUSTOM, 4, llrp_requests.impinj_extensions())
    assert isinstance(decode_message(data), impinj.IMPINJ_ENABLE_EXTENSIONS)


def test_every_inventory_has_its_own_id():
    assert len({llrp_requests.rospec_id(one) for one in INVENTORIES}) == len(INVENTORIES)
    assert llrp_requests.rospec_id(Inventory()) == llrp_requests.rospec_id(Inventory())


@given(
    epc=st.binary(min_size=1, max_size=62),
    number=st.integers(0, 65535),
    rssi=st.integers(-128, 127),
    fine=st.none() | st.integers(-32768, 32767),
    phase=st.none() | st.integers(0, 4095),
    us=st.integers(0, 2**64 - 1),
)
def test_what_llrpkit_encodes_is_what_we_read(epc, number, rssi, fine, phase, us):
    said = params.TagReportData(
        epc_parameter=params.EPC_96(epc=epc)
        if len(epc) == 12
        else params.EPCData(epc=BitStr.from_bytes(epc)),
        antenna_id=params.AntennaID(antenna_id=number),
        peak_rssi=params.PeakRSSI(peak_rssi=rssi),
        last_seen_timestamp_utc=params.LastSeenTimestampUTC(microseconds=us),
        tag_seen_count=params.TagSeenCount(tag_count=number),
    )
    if fine is not None:
        said.custom.append(impinj.ImpinjPeakRSSI(rssi=fine))
    if phase is not None:
        said.custom.append(impinj.ImpinjRFPhaseAngle(phase_angle=phase))
    data = messages.RO_ACCESS_REPORT(tag_report_datas=[said]).to_bytes(message_id=1)
    (found,) = LlrpStream({}).receive_data(data)
    assert found == TagRead(
        epc=epc.hex().upper(),
        antenna=number,
        rssi_cdbm=rssi * 100 if fine is None else fine,
        phase=phase,
        reads_count=number,
        last_seen_us=us,
        raw=data[10:],
    )


def test_capabilities_of_llrpkit_are_read():
    general = params.GeneralDeviceCapabilities(
        max_number_of_antenna_supported=4,
        device_manufacturer_name=25882,
        model_name=2001002,
        reader_firmware_version="7.6.1",
        has_utc_clock_capability=True,
        receive_sensitivity_table_entrys=[
            params.ReceiveSensitivityTableEntry(index=1, receive_sensitivity_value=0)
        ],
        gpio_capabilities=params.GPIOCapabilities(num_gp_is=2, num_gp_os=4),
        per_antenna_air_protocols=[params.PerAntennaAirProtocol(antenna_id=1, protocol_id=b"\x01")],
    )
    llrp = params.LLRPCapabilities(supports_event_and_report_holding=True)
    answer = messages.GET_READER_CAPABILITIES_RESPONSE(
        llrp_status=params.LLRPStatus(status_code=enums.StatusCode.M_Success),
        general_device_capabilities=general,
        llrp_capabilities=llrp,
    )
    found = parse_capabilities(answer.to_bytes(message_id=1)[10:])
    assert str(found) == "Impinj model 2001002 firmware 7.6.1"
    assert (found.antennas_max, found.inputs_count) == (4, 2)
    assert found.holds_reports
    assert found.has_utc_clock


@pytest.mark.parametrize(
    ("active_high", "level", "active"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, True)],
)
def test_an_input_is_active_at_its_own_level(active_high, level, active):
    notice = messages.READER_EVENT_NOTIFICATION(
        reader_event_notification_data=params.ReaderEventNotificationData(
            timestamp=params.UTCTimestamp(microseconds=1),
            gpi_event=params.GPIEvent(gpi_port_number=1, gpi_event=level),
        )
    )
    inputs = {1: Input("beam", active_high=active_high, code="CMD-X")}
    (found,) = parse_notification(notice.to_bytes(message_id=0)[10:], inputs).readings
    assert (found.name, found.active, found.code) == ("beam", active, "CMD-X" if active else "")
