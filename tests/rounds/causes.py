"""Which cause Bellwether's timeline names for each round."""

import calendar
import collections
import time

AHEAD = 0.005  # seconds: the first sign may be stamped so long before the fault, for its clock has whole milliseconds


def monotonic_of(utc):
    """"2026-11-21T03:42:00.123Z" as time.monotonic() counts."""
    whole, _, milliseconds = utc.rstrip("Z").partition(".")
    since_1970 = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + int(milliseconds) / 1000
    return since_1970 - time.time() + time.monotonic()


class Timeline:
    """The records of /failovers, which keeps the last hundred: looked at often enough, none is lost."""

    def __init__(self, ask):
        self._ask = ask  # the list of records
        self._ended = {}

    def look(self):
        for record in self._ask():
            if record["cause"] != "start" and not record["open"]:
                self._ended[record["time"]] = record

    def causes(self, begin, end):
        """Of the failovers whose first sign fell between, in their order."""
        found = sorted((monotonic_of(stamp), record["cause"]) for stamp, record in self._ended.items())
        return [cause for at, cause in found if begin - AHEAD <= at < end - AHEAD]


def judge(rounds, timeline):
    """What was named for each fault: {fault: Counter of causes}. The first after the fault is the fault's own; a round in
    which the server itself hung, and a fault without a cause of its own, are left out."""
    named = collections.defaultdict(collections.Counter)
    ends = [one.struck for one in rounds[1:]] + [time.monotonic()]
    for one, end in zip(rounds, ends):
        if one.has_hung or not one.fault.cause:
            continue
        causes = timeline.causes(one.struck, end)
        named[one.fault][causes[0] if causes else "none"] += 1
    return named


def summary(named):
    lines = []
    for fault, causes in sorted(named.items(), key=lambda item: item[0].name):
        others = ", ".join(f"{count} {cause}" for cause, count in sorted(causes.items()) if cause != fault.cause)
        lines.append(f"cause of {fault.name}: {causes[fault.cause]} of {sum(causes.values())} named {fault.cause}"
                     + (f"; {others}" if others else ""))
    return lines
