"""Numbers of the Low Level Reader Protocol: messages, parameters, status codes. Pure.

Source: EPCglobal LLRP 1.1 (2010-10-13), sections 15.2.1 (status), 17.1 (messages), 17.2 and the
tables of its appendix (parameters); 1.0.1 (2007-08-13) has the same numbers without the last four
messages. Impinj extensions: Octane LLRP, vendor 25882.
"""

from enum import IntEnum

PORT = 5084  # IANA: llrp; 5085 is the same over TLS.
VENDOR_IMPINJ = 25882
EPC_C1G2 = 1  # AirProtocols: EPCglobal Class 1 Generation 2.


class MessageType(IntEnum):
    """Messages, named as in the standard; the answer of X is X_RESPONSE."""

    GET_READER_CAPABILITIES = 1
    GET_READER_CONFIG = 2
    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    GET_READER_CAPABILITIES_RESPONSE = 11
    GET_READER_CONFIG_RESPONSE = 12
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    STOP_ROSPEC = 23
    ENABLE_ROSPEC = 24
    DISABLE_ROSPEC = 25
    GET_ROSPECS = 26
    ADD_ROSPEC_RESPONSE = 30
    DELETE_ROSPEC_RESPONSE = 31
    START_ROSPEC_RESPONSE = 32
    STOP_ROSPEC_RESPONSE = 33
    ENABLE_ROSPEC_RESPONSE = 34
    DISABLE_ROSPEC_RESPONSE = 35
    GET_ROSPECS_RESPONSE = 36
    GET_REPORT = 60
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    ENABLE_EVENTS_AND_REPORTS = 64
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100
    CUSTOM = 1023
    GET_SUPPORTED_VERSION = 46
    SET_PROTOCOL_VERSION = 47
    GET_SUPPORTED_VERSION_RESPONSE = 56
    SET_PROTOCOL_VERSION_RESPONSE = 57


class ParameterType(IntEnum):
    """Parameters with a length of their own (TLV)."""

    UTC_TIMESTAMP = 128
    UPTIME = 129
    GENERAL_DEVICE_CAPABILITIES = 137
    GPIO_CAPABILITIES = 141
    LLRP_CAPABILITIES = 142
    ROSPEC = 177
    RO_BOUNDARY_SPEC = 178
    ROSPEC_START_TRIGGER = 179
    GPI_TRIGGER_VALUE = 181
    ROSPEC_STOP_TRIGGER = 182
    AISPEC = 183
    AISPEC_STOP_TRIGGER = 184
    INVENTORY_PARAMETER_SPEC = 186
    IDENTIFICATION = 218
    KEEPALIVE_SPEC = 220
    ANTENNA_CONFIGURATION = 222
    RF_TRANSMITTER = 224
    GPI_PORT_CURRENT_STATE = 225
    EVENTS_AND_REPORTS = 226
    RO_REPORT_SPEC = 237
    TAG_REPORT_CONTENT_SELECTOR = 238
    TAG_REPORT_DATA = 240
    EPC_DATA = 241
    READER_EVENT_NOTIFICATION_SPEC = 244
    EVENT_NOTIFICATION_STATE = 245
    READER_EVENT_NOTIFICATION_DATA = 246
    GPI_EVENT = 248
    REPORT_BUFFER_LEVEL_WARNING = 250
    REPORT_BUFFER_OVERFLOW = 251
    READER_EXCEPTION = 252
    ANTENNA_EVENT = 255
    CONNECTION_ATTEMPT = 256
    CONNECTION_CLOSE = 257
    LLRP_STATUS = 287
    C1G2_INVENTORY_COMMAND = 330
    C1G2_RF_CONTROL = 335
    C1G2_SINGULATION_CONTROL = 336
    C1G2_EPC_MEMORY_SELECTOR = 348
    CUSTOM = 1023


class ImpinjType(IntEnum):
    """Subtypes of custom messages (first two) and custom parameters of Impinj."""

    ENABLE_EXTENSIONS = 21
    ENABLE_EXTENSIONS_RESPONSE = 22
    TAG_REPORT_CONTENT_SELECTOR = 50
    ENABLE_RF_PHASE_ANGLE = 52
    ENABLE_PEAK_RSSI = 53
    RF_PHASE_ANGLE = 56
    PEAK_RSSI = 57


# Parameters without a length (TV): type -> bytes of the value. 1.1, section 17.2 and 16.2.
TV_VALUE_BYTES = {
    1: 2,  # AntennaID
    2: 8,  # FirstSeenTimestampUTC
    3: 8,  # FirstSeenTimestampUptime
    4: 8,  # LastSeenTimestampUTC
    5: 8,  # LastSeenTimestampUptime
    6: 1,  # PeakRSSI
    7: 2,  # ChannelIndex
    8: 2,  # TagSeenCount
    9: 4,  # ROSpecID
    10: 2,  # InventoryParameterSpecID
    11: 2,  # C1G2CRC
    12: 2,  # C1G2PC
    13: 12,  # EPC-96
    14: 2,  # SpecIndex
    15: 2,  # ClientRequestOpSpecResult
    16: 4,  # AccessSpecID
    17: 2,  # OpSpecID
    18: 4,  # C1G2SingulationDetails
    19: 2,  # C1G2XPCW1
    20: 2,  # C1G2XPCW2
}

STATUS_NAMES = {
    0: "M_Success",
    100: "M_ParameterError",
    101: "M_FieldError",
    102: "M_UnexpectedParameter",
    103: "M_MissingParameter",
    104: "M_DuplicateParameter",
    105: "M_OverflowParameter",
    106: "M_OverflowField",
    107: "M_UnknownParameter",
    108: "M_UnknownField",
    109: "M_UnsupportedMessage",
    110: "M_UnsupportedVersion",
    111: "M_UnsupportedParameter",
    112: "M_UnexpectedMessage",
    200: "P_ParameterError",
    201: "P_FieldError",
    202: "P_UnexpectedParameter",
    203: "P_MissingParameter",
    204: "P_DuplicateParameter",
    205: "P_OverflowParameter",
    206: "P_OverflowField",
    207: "P_UnknownParameter",
    208: "P_UnknownField",
    209: "P_UnsupportedParameter",
    300: "A_Invalid",
    301: "A_OutOfRange",
    401: "R_DeviceError",
}
STATUS_DEVICE_ERROR = 401
