"""GPX and TCX as the makers' apps export them; every value is what ElementTree finds under its full path."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

import numpy as np
import pytest

from squashlib.decode import decode

SPACES = {
    "g": "http://www.topografix.com/GPX/1/1",
    "p": "http://www.garmin.com/xmlschemas/TrackPointExtension/v1",
    "c": "http://www.cluetrust.com/XML/GPXDATA/1/0",
    "t": "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2",
    "x": "http://www.garmin.com/xmlschemas/ActivityExtension/v2",
}
GPX = """<?xml version="1.0" encoding="UTF-8"?>
<gpx creator="{creator}" version="1.1" xmlns="http://www.topografix.com/GPX/1/1"
 xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"
 xmlns:gpxdata="http://www.cluetrust.com/XML/GPXDATA/1/0"><metadata><time>2026-01-05T18:00:00Z</time></metadata>
<trk><name>{name}</name><type>{type}</type><trkseg>{points}</trkseg></trk></gpx>"""
TCX = """<?xml version="1.0" encoding="UTF-8"?>
<TrainingCenterDatabase xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2"
 xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities><Activity Sport="{type}">
<Id>2026-01-05T18:00:00Z</Id><Lap StartTime="2026-01-05T18:00:00Z"><TotalTimeSeconds>60</TotalTimeSeconds>
<AverageHeartRateBpm><Value>141</Value></AverageHeartRateBpm><Cadence>61</Cadence><Track>{points}</Track>
<Extensions><ns3:LX><ns3:AvgRunCadence>60</ns3:AvgRunCadence></ns3:LX></Extensions></Lap><Notes>{name}</Notes>
<Creator xsi:type="Device_t"><Name>{creator}</Name></Creator></Activity></Activities>
<Author xsi:type="Application_t"><Name>Connect API</Name></Author></TrainingCenterDatabase>"""


@dataclass(frozen=True)
class Dialect:
    """An app's way to write: `point` with the second {s} and the value {v}; `paths` by variable."""

    whole: str
    point: str
    time: str
    paths: Mapping[str, str]
    creator: str
    type: str = "other"
    lead: str = ""


TPX = "g:extensions/p:TrackPointExtension/p:"
BPM = "t:HeartRateBpm/t:Value"
DIALECTS = {
    "strava.gpx": Dialect(
        GPX,
        """<trkpt lat="51.50{v}" lon="-0.1{v}"><ele>1{v}.2</ele><time>2026-01-05T18:00:{s:02}Z</time><extensions>
        <gpxtpx:TrackPointExtension><gpxtpx:atemp>2{s}</gpxtpx:atemp><gpxtpx:hr>{v}</gpxtpx:hr><gpxtpx:cad>{s}</gpxtpx:cad>
        </gpxtpx:TrackPointExtension></extensions></trkpt>""",
        "g:time",
        {"heart_rate": TPX + "hr", "cadence": TPX + "cad", "skin_temperature": TPX + "atemp", "altitude": "g:ele"},
        "StravaGPX",
        "9",
    ),
    "suunto.gpx": Dialect(
        GPX,
        """<trkpt lat="51.5" lon="-0.1"><ele>-3.4</ele><time>2026-01-05T18:00:{s:02}Z</time><extensions>
        <gpxtpx:TrackPointExtension><gpxtpx:hr>{v}</gpxtpx:hr></gpxtpx:TrackPointExtension></extensions></trkpt>""",
        "g:time",
        {"heart_rate": TPX + "hr", "altitude": "g:ele"},
        "Suunto app",
    ),
    "coros.gpx": Dialect(
        GPX,
        """<trkpt lat="51.5" lon="-0.1"><time>2026-01-05T18:00:{s:02}Z</time><extensions><heartrate>{v}</heartrate>
        <cadence>{s}</cadence><distance>{v}.5</distance></extensions></trkpt>""",
        "g:time",
        {"heart_rate": "g:extensions/g:heartrate", "cadence": "g:extensions/g:cadence"},
        "COROS Wearables",
    ),
    "cluetrust.gpx": Dialect(
        GPX,
        """<trkpt lat="51.5" lon="-0.1"><time>2026-01-05T18:00:{s:02}.250+01:00</time><extensions>
        <gpxdata:hr>{v}</gpxdata:hr><gpxdata:temp>2{s}.5</gpxdata:temp></extensions></trkpt>""",
        "g:time",
        {"heart_rate": "g:extensions/c:hr", "skin_temperature": "g:extensions/c:temp"},
        "RideWithGPS",
    ),
    "polar.tcx": Dialect(
        TCX,
        """<Trackpoint><Time>2026-01-05T18:00:{s:02}.000Z</Time><HeartRateBpm><Value>{v}</Value></HeartRateBpm>
        <SensorState>Present</SensorState></Trackpoint>""",
        "t:Time",
        {"heart_rate": BPM},
        "Polar Vantage V2",
        "Other",
    ),
    "strava.tcx": Dialect(
        TCX,
        """<Trackpoint><Time>2026-01-05T18:00:{s:02}Z</Time><DistanceMeters>{s}.5</DistanceMeters><HeartRateBpm>
        <Value>{v}</Value></HeartRateBpm><Cadence>{s}</Cadence></Trackpoint>""",
        "t:Time",
        {"heart_rate": BPM, "cadence": "t:Cadence", "distance": "t:DistanceMeters"},
        "Strava",
        "Other",
        lead="          ",
    ),
    "gpsbabel.tcx": Dialect(
        TCX,
        """<Trackpoint><Time>2026-01-05T19:00:{s:02}+01:00</Time>
        <Position><LatitudeDegrees>44.{v}</LatitudeDegrees><LongitudeDegrees>26.{v}</LongitudeDegrees></Position>
        <HeartRateBpm xsi:type="HeartRateInBeatsPerMinute_t">
          <Value>
            {v}
          </Value>
        </HeartRateBpm><Extensions><TPX xmlns="http://www.garmin.com/xmlschemas/ActivityExtension/v2"
        CadenceSensor="Footpod"><Speed>2.5</Speed><RunCadence>{s}</RunCadence></TPX></Extensions></Trackpoint>""",
        "t:Time",
        {
            "heart_rate": BPM,
            "cadence": "t:Extensions/x:TPX/x:RunCadence",
            "latitude": "t:Position/t:LatitudeDegrees",
            "longitude": "t:Position/t:LongitudeDegrees",
        },
        "Forerunner 305",
        "Other",
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_every_value_is_where_the_schema_puts_it(name: str) -> None:
    how = DIALECTS[name]
    points = "".join(how.point.format(s=s, v=100 + 7 * s % 60) for s in range(40))
    text = how.whole.format(creator=how.creator, name="Evening Squash", type=how.type, points=points)
    session = decode((how.lead + text).encode())
    root = ElementTree.fromstring(text)
    found = root.findall(".//g:trkpt", SPACES) + root.findall(".//t:Trackpoint", SPACES)
    for variable, path in how.paths.items():
        expected = [float(point.findtext(path, "nan", SPACES)) for point in found]
        np.testing.assert_allclose(session[variable].values, expected, rtol=1e-6, err_msg=variable)
    start = datetime.fromisoformat(found[0].findtext(how.time, "", SPACES))
    assert datetime.fromisoformat(session.attrs["start_time"]) == start
    assert session["hr_time"].values.tolist() == list(range(40))
    assert session.attrs["sport"] == "squash"
    assert session.attrs["device"] == {"name": how.creator}
