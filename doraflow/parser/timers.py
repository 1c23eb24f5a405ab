"""Timers as text: `dora/timer/UNIT/N`, and the interval that they mean.

How ticks come about is for the runtime.
"""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow.ir import Timer
from doraflow.parser.suggest import choices_text, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink, Span

LONGEST_INTERVAL_NS = 2**63 - 1
LONGEST_TIMER = 60
"""How long a text may be that is taken for a misspelt timer."""

_NANOSECONDS: Mapping[str, int] = MappingProxyType({"secs": 10**9, "millis": 10**6, "micros": 10**3, "nanos": 1})
_UNITS = ("millis", "secs", "hz", "micros", "nanos")
_WORDS: Mapping[str, str] = MappingProxyType(
    {"millis": "milliseconds", "secs": "seconds", "hz": "hertz", "micros": "microseconds", "nanos": "nanoseconds"}
)
_OTHER_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        "ms": "millis",
        "msec": "millis",
        "msecs": "millis",
        "milliseconds": "millis",
        "s": "secs",
        "seconds": "secs",
        "us": "micros",
        "microseconds": "micros",
        "ns": "nanos",
        "nanoseconds": "nanos",
        "hertz": "hz",
        "fps": "hz",
    }
)
_TIMER_WORDS = frozenset({"dora", "timer", "timers", "tick", "ticks", "clock", "every", "interval"})
_LOOSE = re.compile(r"[A-Za-z0-9\s/.:=()_-]+")
_TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|[A-Za-z]+")
_IN_ONE_WORD = re.compile(r"([0-9]{1,20})\s*([A-Za-z]+)")
_WHOLE = re.compile(r"\+?[0-9]{1,20}")
_FREQUENCY = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def parse_timer(text: str, detail: str, span: Span, sink: Sink) -> Timer | None:
    """Read a timer; `detail` is what follows `dora/timer/` in `text`. None after an error.

    Seconds, milli-, micro- and nanoseconds are whole numbers; a frequency in hertz may be a fraction.
    """
    unit, _, amount = detail.partition("/")
    if not unit or not amount:
        _refuse_form(text, unit, span, sink)
        return None
    if unit not in _UNITS:
        _refuse_unit(unit, amount, span, sink)
        return None
    interval = _period(amount) if unit == "hz" else _whole_interval(unit, amount)
    if interval is None:
        _refuse_amount(unit, amount, span, sink)
        return None
    if interval == 0:
        message = f"`{text}` has an interval of 0, so it would tick without a pause"
        sink.error("DF107", message, span, help=_example("millis" if unit == "hz" else unit))
        return None
    if interval > LONGEST_INTERVAL_NS:
        sink.error("DF107", f"`{text}` ticks less than once in 292 years", span, help=_example("secs"))
        return None
    return Timer(interval, text)


def _whole_interval(unit: str, amount: str) -> int | None:
    return int(amount) * _NANOSECONDS[unit] if _WHOLE.fullmatch(amount) else None


def _period(amount: str) -> int | None:
    """Turn a frequency into nanoseconds."""
    frequency = float(amount) if _FREQUENCY.fullmatch(amount) else math.nan
    if not math.isfinite(frequency) or frequency <= 0:
        return None
    period = 1e9 / frequency
    return round(period) if math.isfinite(period) else LONGEST_INTERVAL_NS + 1


def timer_meant(text: str) -> str | None:
    """Give the timer that a text of another form was meant to be; None if it does not speak of one.

    >>> timer_meant("timer/hz/30"), timer_meant("30hz"), timer_meant("dora.timer.ms(20)"), timer_meant("camera/30hz")
    ('dora/timer/hz/30', 'dora/timer/hz/30', 'dora/timer/millis/20', None)
    """
    words = _TOKEN.findall(text) if len(text) <= LONGEST_TIMER and _LOOSE.fullmatch(text) else []
    numbers = [word for word in words if word[0].isdigit()]
    others = [word for word in words if not word[0].isdigit() and word.lower() not in _TIMER_WORDS]
    speaks_of_timers = len(words) > len(numbers) + len(others) or _IN_ONE_WORD.fullmatch(text)
    unit = unit_meant(others[0]) if len(others) == 1 and len(numbers) == 1 and speaks_of_timers else None
    if unit is None or ("." in numbers[0] and unit != "hz"):
        return None
    return f"dora/timer/{unit}/{numbers[0]}"


def _refuse_form(text: str, unit: str, span: Span, sink: Sink) -> None:
    meant = timer_meant(text)
    if meant is not None:
        mend = f"write `{meant}`"
    elif _FREQUENCY.fullmatch(unit):
        mend = f"write `dora/timer/hz/{unit}` for {unit} a second, `dora/timer/millis/{unit}` for one every {unit} ms"
    else:
        mend = _example(unit_meant(unit) or "millis")
    sink.error("DF107", f"`{text}` is not a timer: a timer is `dora/timer/UNIT/N`", span, help=mend, replacement=meant)


def _refuse_unit(unit: str, amount: str, span: Span, sink: Sink) -> None:
    if _FREQUENCY.fullmatch(unit) and unit_meant(amount):
        message = f"`{unit}/{amount}` has its unit after its number: a timer is `dora/timer/UNIT/N`"
        sink.error("DF107", message, span, help=f"write `dora/timer/{unit_meant(amount)}/{unit}`")
        return
    meant = unit_meant(unit)
    sink.error(
        "DF107",
        f"`{unit}` is not a unit of timers: the units are {choices_text(unit, _UNITS)}",
        span,
        help=f"write `dora/timer/{meant}/{amount}`" if meant else _example("millis"),
        replacement=f"dora/timer/{meant}/{amount}" if meant and _WHOLE.fullmatch(amount) else None,
    )


def _refuse_amount(unit: str, amount: str, span: Span, sink: Sink) -> None:
    wanted = "a number above 0" if unit == "hz" else "a whole number"
    finer = _in_finer_unit(unit, amount)
    meant = f"dora/timer/{finer}" if finer else timer_meant(amount)
    sink.error(
        "DF107",
        f"`{amount}` is not a number of {_WORDS[unit]}: expected {wanted}",
        span,
        help=f"write `{meant}`" if meant else _example(unit),
        replacement=meant,
    )


def _in_finer_unit(unit: str, amount: str) -> str | None:
    """Write a fraction as a whole number of a finer unit: `secs/0.5` is `millis/500`."""
    if unit == "hz" or not _FREQUENCY.fullmatch(amount) or float(amount) <= 0:
        return None
    nanoseconds = float(amount) * _NANOSECONDS[unit]
    for finer, factor in _NANOSECONDS.items():
        if nanoseconds < LONGEST_INTERVAL_NS and nanoseconds >= factor and round(nanoseconds) % factor == 0:
            return f"{finer}/{round(nanoseconds) // factor}"
    return None


def unit_meant(unit: str) -> str | None:
    """Give the unit that a word was meant to be; None if it is like none."""
    known = _OTHER_SPELLINGS.get(unit.lower())
    return known or next(iter(nearest(unit, _UNITS)), None)


def _example(unit: str) -> str:
    amount = {"millis": "100", "secs": "1", "hz": "30", "micros": "500", "nanos": "1000000"}[unit]
    return f"write for example `dora/timer/{unit}/{amount}`"
