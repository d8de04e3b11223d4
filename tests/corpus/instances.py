"""A second opinion on recurring events: python-recurring-ical-events.

Reads names of .ics files, one a line, and prints for each: its name and window (two years from its
first recurring DTSTART), then one line an instance of an event with RRULE or RDATE: a tab, the UID,
a tab, where it begins. Times are seconds since 1970, floating ones and dates in Europe/Berlin."""

import datetime
import sys
import warnings
import zoneinfo

import icalendar
import recurring_ical_events

warnings.simplefilter("ignore")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def second(value):
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    if value.tzinfo is None:
        value = value.replace(tzinfo=BERLIN)
    return int(value.timestamp())


def instances(path):
    with open(path, "rb") as file:
        calendars = icalendar.Calendar.from_ical(file.read(), multiple=True)
    uids, first = set(), None
    for calendar in calendars:
        for event in calendar.walk("VEVENT"):
            if event.get("RRULE") or event.get("RDATE"):
                uids.add(str(event.get("UID", "")))
                start = event.get("DTSTART")
                if start is not None and hasattr(start, "dt"):
                    at = second(start.dt)
                    first = at if first is None else min(first, at)
    if first is None:
        return None
    # a day more at either end: at its edges it takes dates for those of UTC
    day = datetime.timedelta(days=1)
    begin = datetime.datetime.fromtimestamp(first, datetime.timezone.utc) - 2 * day
    end = begin + 732 * day
    found = set()
    for calendar in calendars:
        # it would move recurring events in UTC to this zone, which RFC 5545 does not know
        calendar.pop("X-WR-TIMEZONE", None)
        for event in recurring_ical_events.of(calendar, skip_bad_series=True).between(begin, end):
            uid = str(event.get("UID", ""))
            if uid in uids:
                found.add((uid, second(event["DTSTART"].dt)))
    return int((begin + day).timestamp()), int((end - day).timestamp()), found


for path in map(str.strip, sys.stdin):
    try:
        result = instances(path)
    except Exception as error:  # what it cannot read says nothing about us
        print(f"{path}\terror\t{type(error).__name__}")
        continue
    if result is None:
        continue
    begin, end, found = result
    print(f"{path}\t{begin}\t{end}")
    for uid, at in sorted(found):
        print(f"\t{uid}\t{at}")
    sys.stdout.flush()
