"""Sentences made from a report's data, in the active language; an officer may change them afterwards."""

from __future__ import annotations

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring.queries.dashboard import ON_COURSE
from onatc.periods import Period
from onatc.texts import choose
from strategy.models import Signal


def summary(data: dict[str, Any]) -> str:
    """The summary: where the plan stands, what changed, what is late, who reported. One paragraph a line."""
    return "\n".join(part for part in (_standing(data), _change(data), _late(data), _reporting(data)) if part)


def _on_course(counts: dict[str, int]) -> int:
    return sum(counts.get(signal, 0) for signal in ON_COURSE)


def _standing(data: dict[str, Any]) -> str:
    counts = data["counts"]
    total = sum(counts.values()) - counts.get(Signal.DROPPED, 0)
    period = Period.parse(data["period"]).title
    if not total:
        return _("In %(period)s the plan held no measure.") % {"period": period}
    return ngettext(
        "In %(period)s, %(on_course)d of the %(total)d measure of the plan was on course: %(completed)d completed, "
        "%(on_time)d on time and %(not_started)d not yet due to start.",
        "In %(period)s, %(on_course)d of the %(total)d measures of the plan were on course: %(completed)d completed, "
        "%(on_time)d on time and %(not_started)d not yet due to start.",
        total,
    ) % {
        "period": period,
        "on_course": _on_course(counts),
        "total": total,
        "completed": counts[Signal.COMPLETED],
        "on_time": counts[Signal.ON_TIME],
        "not_started": counts[Signal.NOT_STARTED],
    }


def _change(data: dict[str, Any]) -> str:
    before = data["counts_before"]
    if before is None:
        return ""
    change = _on_course(data["counts"]) - _on_course(before)
    values = {"period": Period.parse(data["quarter_before"]).title, "number": abs(change)}
    if change > 0:
        return (
            ngettext(
                "That is %(number)d more than at the end of %(period)s.",
                "That is %(number)d more than at the end of %(period)s.",
                change,
            )
            % values
        )
    if change < 0:
        return (
            ngettext(
                "That is %(number)d fewer than at the end of %(period)s.",
                "That is %(number)d fewer than at the end of %(period)s.",
                -change,
            )
            % values
        )
    return _("That is as many as at the end of %(period)s.") % values


def _late(data: dict[str, Any]) -> str:
    counts = data["counts"]
    late, at_risk, no_news = counts[Signal.LATE], counts[Signal.AT_RISK], counts[Signal.NO_NEWS]
    if not (late or at_risk or no_news):
        return _("No measure was late, at risk or without news.")
    sentence = _("Late were %(late)d, at risk %(at_risk)d, and on %(no_news)d there was no news.") % {
        "late": late,
        "at_risk": at_risk,
        "no_news": no_news,
    }
    worst = max(data["goals"], key=lambda goal: (goal["counts"][Signal.LATE], goal["code"]), default=None)
    if worst is not None and worst["counts"][Signal.LATE]:
        sentence += " " + _("Most late measures belong to goal %(code)s, %(title)s.") % {
            "code": worst["code"],
            "title": choose(worst["title"]),
        }
    return sentence


def _reporting(data: dict[str, Any]) -> str:
    if not data["asked"]:
        return _("No report was asked for in the period.")
    missing = data["asked"] - data["received"]
    sentence = _("The institutions sent %(received)s of the %(asked)s reports that they were asked for.") % {
        "received": number_format(data["received"]),
        "asked": number_format(data["asked"]),
    }
    silent = [row for one in data["rounds"] for row in one["rows"] if row["missing"] == row["asked"]]
    if missing and silent:
        names = ", ".join(choose(row["name"]) for row in silent[:5])
        more = len(silent) - 5
        if more > 0:
            names += " " + ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}
        sentence += " " + _("Nothing at all came from: %(names)s.") % {"names": names}
    return sentence
