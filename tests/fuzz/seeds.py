"""Small recordings, written byte by byte without the project's own writer: fuzzing begins there, tests vary them."""

import struct
from collections.abc import Sequence

EPOCH_S = 1_130_000_000  # FIT seconds of October 2025
BASES = {
    "B": 0x02,
    "b": 0x01,
    "H": 0x84,
    "h": 0x83,
    "I": 0x86,
    "i": 0x85,
    "f": 0x88,
    "s": 0x07,
    "c": 0x0D,
    "q": 0x8E,
    "Q": 0x8F,
}

Field = tuple[int, str]


def crc16(data: bytes) -> int:
    """Bit by bit (CRC-16/ARC)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def fit(*messages: bytes) -> bytes:
    """A FIT file around its messages."""
    body = b"".join(messages)
    head = fit_header(len(body))
    return head + body + struct.pack("<H", crc16(head + body))


def fit_header(size: int) -> bytes:
    """The header of a file whose messages take `size` bytes."""
    head = struct.pack("<BBHI4s", 14, 0x20, 2195, size, b".FIT")
    return head + struct.pack("<H", crc16(head))


def define(
    local: int, num: int, fields: Sequence[Field], developer: Sequence[tuple[int, int, int]] = (), *, big: bool = False
) -> bytes:
    """A definition; fields as (number, struct code with count, like `30H` or `16s`)."""
    order = ">" if big else "<"
    out = struct.pack(f"{order}BBBHB", 0x40 | local | (0x20 if developer else 0), 0, big, num, len(fields))
    for number, code in fields:
        out += bytes([number, struct.calcsize("<" + code), BASES[code[-1]] if code != "E" else 0])
    if developer:
        out += bytes([len(developer)]) + b"".join(bytes(each) for each in developer)
    return out


def message(local: int, code: str, *values: object, big: bool = False) -> bytes:
    """A data message."""
    return bytes([local]) + struct.pack((">" if big else "<") + code, *values)


def heart() -> bytes:
    """Half a minute of heart rate with a session, a lap, an event and the strap's own beats."""
    return fit(
        define(0, 0, [(0, "B"), (1, "H"), (2, "H"), (4, "I")]),
        message(0, "BHHI", 4, 1, 2697, EPOCH_S),
        define(1, 20, [(253, "I"), (3, "B"), (0, "i"), (1, "i")]),
        *(message(1, "IBii", EPOCH_S + i, 100 + i, 500_000_000, -1_000_000 + i) for i in range(30)),
        define(2, 78, [(0, "5H")]),
        message(2, "5H", 600, 610, 620, 65535, 65535),
        define(3, 132, [(253, "I"), (0, "H"), (6, "B"), (9, "I")]),
        message(3, "IHBI", EPOCH_S, 16384, 90, 1024),
        define(4, 132, [(6, "8B"), (10, "12c")]),
        bytes([4]) + bytes(range(90, 98)) + pack12([1824, 2624, 3424, 128, 928, 1728, 2528, 3328]),
        define(5, 21, [(253, "I"), (0, "B"), (1, "B"), (3, "I")]),
        message(5, "IBBI", EPOCH_S, 0, 0, 0),
        message(5, "IBBI", EPOCH_S + 9, 33, 3, 1 << 16),
        define(6, 18, [(253, "I"), (2, "I"), (7, "I"), (5, "B"), (6, "B")]),
        message(6, "IIIBB", EPOCH_S + 30, EPOCH_S, 30_000, 64, 94),
        define(7, 19, [(253, "I")]),
        message(7, "I", EPOCH_S + 30),
    )


def pack12(values: Sequence[int]) -> bytes:
    """Numbers of twelve bits, low bits first, two in three bytes."""
    bits = sum(value << 12 * i for i, value in enumerate(values))
    return bits.to_bytes(len(values) * 12 // 8, "little")


def motion(*, big: bool = False, k: int = 4, messages: int = 6) -> bytes:
    """Counts with a calibration that turns axes, and a calibrated gyroscope; the sensors count system time."""
    samples = [(1 + s, -2 * s, 3) for s in range(k)]
    flat = [value + 32768 for axis in range(3) for value in (sample[axis] for sample in samples)]
    rates = [float(value) for axis in range(3) for value in (sample[axis] for sample in samples)]
    offsets = [10 * s for s in range(k)]
    turn = [0, 65535, 0, -65535, 0, 0, 0, 0, 65535]
    return fit(
        define(0, 162, [(253, "I"), (4, "H"), (1, "I"), (5, "H")], big=big),
        message(0, "IHIH", EPOCH_S, 0, 100, 250, big=big),
        define(1, 167, [(253, "I"), (0, "B"), (1, "I"), (2, "I"), (3, "I"), (4, "3i"), (5, "9i")], big=big),
        message(1, "IBIII3i9i", 100, 0, 1, 2048, 32768, 0, 0, 0, *turn, big=big),
        define(2, 165, [(253, "I"), (0, "H"), (1, f"{k}H"), *((2 + a, f"{k}H") for a in range(3))], big=big),
        define(3, 164, [(253, "I"), (0, "H"), (1, f"{k}H"), *((5 + a, f"{k}f") for a in range(3))], big=big),
        *(
            message(local, f"IH{k}H{3 * k}{code}", 101 + i, 500, *offsets, *values, big=big)
            for i in range(messages)
            for local, code, values in ((2, "H", flat), (3, "f", rates))
        ),
    )


#: Fields of a message that describes a developer field: its developer, number, type and name.
DESCRIPTION = [(0, "B"), (1, "B"), (2, "B"), (3, "24s")]


def scores(names: Sequence[str], rows: Sequence[Sequence[int]], num: int = 20) -> bytes:
    """A score that an app keeps in developer fields `names` of records (or laps), one message ten seconds."""
    return fit(
        define(0, 207, [(1, "16c"), (3, "B")]),
        bytes([0]) + bytes(16) + bytes([0]),
        define(1, 206, DESCRIPTION),
        *(message(1, "BBB24s", 0, i, 2, name.encode()) for i, name in enumerate(names)),
        define(2, 20, [(253, "I"), (3, "B")]),
        message(2, "IB", EPOCH_S, 120),
        define(3, num, [(253, "I")], [(i, 1, 0) for i in range(len(names))]),
        *(message(3, f"I{len(row)}B", EPOCH_S + 10 * i, *row) for i, row in enumerate(rows)),
    )


GPX = b"""<?xml version="1.0" encoding="UTF-8"?>
<gpx creator="Garmin Connect" version="1.1" xmlns="http://www.topografix.com/GPX/1/1"
 xmlns:ns3="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"><metadata><time>2026-01-01T10:00:00.000Z</time>
</metadata><trk><name>Evening Squash</name><type>other</type><trkseg>%s</trkseg></trk></gpx>"""
GPX_POINT = b"""<trkpt lat="51.5" lon="-0.1"><ele>12.4</ele><time>2026-01-01T10:00:%02d.000Z</time><extensions>
<ns3:TrackPointExtension><ns3:atemp>21.0</ns3:atemp><ns3:hr>%d</ns3:hr><ns3:cad>70</ns3:cad></ns3:TrackPointExtension>
</extensions></trkpt>"""
TCX = b"""<?xml version="1.0"?><TrainingCenterDatabase
 xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
 xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2"><Activities><Activity Sport="Other">
<Id>2026-01-01T10:00:00.000Z</Id><Lap StartTime="2026-01-01T10:00:00.000Z"><TotalTimeSeconds>30</TotalTimeSeconds>
<AverageHeartRateBpm><Value>130</Value></AverageHeartRateBpm><Track>%s</Track></Lap>
<Creator xsi:type="Device_t"><Name>Forerunner 965</Name></Creator></Activity></Activities></TrainingCenterDatabase>"""
TCX_POINT = b"""<Trackpoint><Time>2026-01-01T10:00:%02d.000Z</Time><HeartRateBpm><Value>%d</Value></HeartRateBpm>
<Extensions><ns3:TPX><ns3:Speed>1.5</ns3:Speed><ns3:RunCadence>62</ns3:RunCadence></ns3:TPX></Extensions>
</Trackpoint>"""


def gpx() -> bytes:
    """As Garmin Connect exports it."""
    return GPX % b"".join(GPX_POINT % (i, 120 + i) for i in range(3))


def tcx() -> bytes:
    """As Garmin Connect exports it."""
    return TCX % b"".join(TCX_POINT % (i, 120 + i) for i in range(3))


def seeds() -> dict[str, bytes]:
    """By name."""
    return {
        "heart.fit": heart(),
        "motion.fit": motion(),
        "motion_big.fit": motion(big=True),
        "scores.fit": scores(["score_player_1", "score_player_2"], [(0, 0), (1, 0), (1, 1)]),
        "finals.fit": scores(["score_you", "score_opponent"], [(11, 7), (8, 11)], num=19),
        "track.gpx": gpx(),
        "track.tcx": tcx(),
    }
