"""The first week of a newcomer, day by day, for each role; its links are those that the reader may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onatc.http import AREAS
from stakeholders.models import Role

DAYS = range(1, 6)


@dataclass(frozen=True)
class Line:
    """One thing to do on a day; `url_name` is the page where, empty when it is done away from the screen."""

    day: int
    url_name: str
    text: Promise


FIRST = [
    Line(
        1,
        "",
        _("Sign in with your own account and choose your language on the top right. Mails come in that language too."),
    ),
    Line(1, "account_change_password", _("If somebody else knows your password, change it now.")),
    Line(
        1, "home", _("Open your home page and press “Help” on top: it says what the page is for and what to do first.")
    ),
    Line(
        1, "glossary", _("Words with dots under them can be pressed: their meaning opens. The glossary holds them all.")
    ),
]
LAST = [
    Line(
        5,
        "report-problem",
        _("Tell what did not work or was hard to understand. Write no names and nothing about a case."),
    ),
    Line(5, "shortcuts", _("If you like the keyboard better than the mouse, learn two or three keys.")),
]
GUIDES: dict[str, list[Line]] = {
    Role.NATC: [
        Line(
            2,
            "home",
            _(
                "Read the sentence on top of your home page: how many measures are on course. It is computed, nobody types it."
            ),
        ),
        Line(
            2,
            "strategy:signal-rule",
            _("Read once how a signal is computed, so that you can answer when a minister asks."),
        ),
        Line(
            2,
            "strategy:plan-list",
            _("Read the plan in force: the goals, then the measures that your own office leads."),
        ),
        Line(
            3, "monitoring:dashboard", _("Look at the table by institution: who is late, and with how many measures.")
        ),
        Line(
            3, "strategy:measure-list", _("Choose the signal “late” and read the reason beside three of the measures.")
        ),
        Line(
            4,
            "monitoring:report-list",
            _(
                "Read the last issued report in your language; each figure in it leads back to what an institution reported."
            ),
        ),
        Line(
            4, "strategy:round-list", _("Note the next due date: before it you can call those who have not answered.")
        ),
        Line(
            5,
            "stakeholders:institution-list",
            _("Look who the members of the National Authority are that you will chair."),
        ),
        Line(
            3,
            "stakeholders:meeting-list",
            _("Open the next meeting that you chair: its agenda, who comes, and which points wait for a decision."),
        ),
        Line(
            4,
            "stakeholders:action-point-list",
            _("Look at the action points that are overdue, and ask at the next meeting about three of them."),
        ),
    ],
    Role.DIRECTOR: [
        Line(2, "home", _("Begin each day with your home page: what came in, what is outstanding, who is late.")),
        Line(
            2,
            "strategy:plan-list",
            _("Read the plan in force and its versions; a change of the plan is always a new version with a decision."),
        ),
        Line(
            2,
            "stakeholders:institution-list",
            _("Go through the institutions: is every focal point still the right person?"),
        ),
        Line(
            3,
            "strategy:progress-list",
            _("Review one submitted report: open its evidence, then accept it or return it with a reason."),
        ),
        Line(3, "strategy:round-list", _("Open the running round and send one reminder.")),
        Line(
            4, "monitoring:dashboard", _("Compare the goals on the dashboard and follow a number down to its measures.")
        ),
        Line(
            4,
            "monitoring:report-list",
            _("Read how the last report was drafted and issued; the next one is drafted with one button."),
        ),
        Line(
            5,
            "problem-list",
            _("Look at what people reported as not working, and agree with the administrator who answers."),
        ),
        Line(
            3,
            "stakeholders:meeting-list",
            _("See which meetings are owed by a duty, and begin the agenda of the next one from the open points."),
        ),
        Line(
            4,
            "stakeholders:agreement-list",
            _("Look at the agreements that end within 90 days, and decide which are renewed."),
        ),
        Line(4, "stakeholders:enquiry-list", _("Read the enquiries that are open: who answers each, and by when.")),
    ],
    Role.PLANNING: [
        Line(2, "strategy:plan-list", _("Read the plan in force as a tree, from goals to measures.")),
        Line(2, "strategy:measure-list", _("Filter the measures by institution and save the list as a spreadsheet.")),
        Line(
            3,
            "strategy:import-list",
            _("Bring the plan file in as a trial and read what would change. Leave it: nothing has changed."),
        ),
        Line(3, "strategy:round-list", _("Look when the next round opens; schedule it if nobody has.")),
        Line(4, "strategy:progress-list", _("Review a submitted report together with a colleague.")),
        Line(4, "strategy:signal-rule", _("Learn the rule of the signals: you will explain it to the institutions.")),
        Line(4, "monitoring:dashboard", _("See on the dashboard which goals need attention.")),
        Line(
            5, "monitoring:report-list", _("Read the last report; you will draft the next one after the round closes.")
        ),
        Line(
            3,
            "stakeholders:meeting-list",
            _(
                "Prepare a meeting as a trial: the agenda is made from open points. Leave it as a draft; nobody is called."
            ),
        ),
        Line(
            5,
            "stakeholders:action-point-list",
            _("Follow one action point from the decision to the measure that it serves."),
        ),
    ],
    Role.MONITORING: [
        Line(2, "home", _("Your inbox stands on the home page, the oldest submission first.")),
        Line(
            2,
            "strategy:progress-list",
            _("Open three submissions and only read: what makes a good answer, what is missing?"),
        ),
        Line(
            3,
            "strategy:progress-list",
            _("Open the files of one report. Accept it, or return it and say in one sentence what should change."),
        ),
        Line(3, "", _("What you wrote or accepted yourself, somebody else verifies.")),
        Line(3, "strategy:round-list", _("Open the running round and remind the institution that owes most.")),
        Line(
            4, "strategy:signal-rule", _("Learn the rule of the signals, and when an override with a reason is right.")
        ),
        Line(4, "monitoring:dashboard", _("Follow a number of the dashboard down to the report of an institution.")),
        Line(
            5,
            "monitoring:report-list",
            _("Compare a table of the last report with the measure list of the same period."),
        ),
        Line(
            4,
            "stakeholders:action-point-list",
            _("Read how action points were closed, and open the evidence of two of them."),
        ),
    ],
    Role.CHILD: [
        Line(2, "strategy:plan-list", _("Read the plan in force and mark the measures about children.")),
        Line(
            2,
            "strategy:measure-list",
            _("Search for the word “child” in your language and keep the address of the list."),
        ),
        Line(3, "stakeholders:institution-list", _("Look up the Centres for Social Work and their people.")),
        Line(
            3,
            "glossary",
            _("Read what the glossary says on the best interest of the child, the guardian and the case manager."),
        ),
        Line(
            3,
            "",
            _("A case is an opaque marker here. No name, birth date or document number of a child is ever written."),
        ),
        Line(
            4, "strategy:round-list", _("See in the running round which institutions report on measures for children.")
        ),
        Line(4, "monitoring:dashboard", _("See how the goal on protection stands.")),
        Line(5, "monitoring:report-list", _("Read what the last report says about children.")),
        Line(3, "stakeholders:body-list", _("Look who sits in the child sub-group, and when it met last.")),
    ],
    Role.INFORMATION: [
        Line(2, "home", _("Read where the plan stands: these are the sentences that you will be asked for.")),
        Line(2, "strategy:plan-list", _("Read the plan in force; quote its measures by their code.")),
        Line(
            3,
            "monitoring:report-list",
            _("Save the issued report in the three languages. Quote issued reports only, never drafts."),
        ),
        Line(3, "monitoring:dashboard", _("Look at the charts; each has its figures as a table below it.")),
        Line(
            4,
            "stakeholders:institution-list",
            _("Check the names of the institutions in all three languages; tell the Director of a change."),
        ),
        Line(4, "glossary", _("Use the words of the glossary in what you publish.")),
        Line(4, "", _("A small count can point to a person. Publish a figure only as it stands in an issued report.")),
        Line(
            3,
            "stakeholders:enquiry-list",
            _(
                "Follow one enquiry from the question to the answer that was sent; every answer is approved by somebody else."
            ),
        ),
        Line(
            4,
            "stakeholders:communication-list",
            _("Note a contact that you made today: when, with whom, about what. Never about a case."),
        ),
        Line(5, "stakeholders:circular-list", _("Read the last circular and see who confirmed it.")),
    ],
    Role.FOCAL_POINT: [
        Line(2, "home", _("Your home page says what your institution owes and by when.")),
        Line(
            2,
            "strategy:measure-list",
            _("Read the measures in which your institution takes part: where it leads, and where it is a partner."),
        ),
        Line(
            3,
            "strategy:progress-list",
            _("Press “Report” beside one measure, write a sentence and press “Save as a draft”."),
        ),
        Line(3, "", _("Ask the colleagues who do the work for the value and a document that shows it.")),
        Line(
            3,
            "",
            _(
                "Write in Albanian or in Serbian, as you like. No name of a victim, no detail by which one is recognised."
            ),
        ),
        Line(
            4,
            "strategy:progress-list",
            _(
                "Finish the draft and submit it. If it is returned, the reason stands on top: correct it and submit again."
            ),
        ),
        Line(4, "strategy:round-list", _("Note when the next round is due.")),
        Line(5, "strategy:signal-rule", _("Read how the signal of your measures comes about from what you report.")),
        Line(
            3,
            "stakeholders:action-point-list",
            _("Look at the action points of your institution; write a step as soon as something was done."),
        ),
        Line(
            4,
            "stakeholders:calendar",
            _(
                "Answer the call to the next meeting, and add your private calendar address to the calendar that you use."
            ),
        ),
    ],
    Role.LOCAL: [
        Line(2, "home", _("Your home page says what is asked of your municipality or region and by when.")),
        Line(2, "strategy:measure-list", _("Read the measures in which your municipality takes part.")),
        Line(2, "stakeholders:institution-list", _("Find the Centre for Social Work and the police of your area.")),
        Line(
            3, "strategy:progress-list", _("Report on one measure: what was done here, with the value and a document.")
        ),
        Line(3, "", _("In a small place a detail is as good as a name. Write what was done, not to whom.")),
        Line(4, "strategy:round-list", _("Note when the next round is due and who helps you with the figures.")),
        Line(
            4, "strategy:signal-rule", _("Read why a measure is late or without news, to see what your report changes.")
        ),
        Line(
            3,
            "stakeholders:meeting-list",
            _("Read the minutes of the last meeting of your regional committee, and what it asks of you."),
        ),
    ],
    Role.OBSERVER: [
        Line(
            2, "home", _("Read where the plan stands. You see what was accepted; drafts of institutions are not shown.")
        ),
        Line(
            2,
            "strategy:plan-list",
            _("Read the plan in force; a text that is not translated yet is marked with its language."),
        ),
        Line(
            3,
            "strategy:measure-list",
            _("Filter the measures that your organisation supports and keep the address of the list."),
        ),
        Line(3, "strategy:signal-rule", _("Read how a signal is computed before you quote it.")),
        Line(4, "monitoring:dashboard", _("Choose an earlier period on the dashboard and compare.")),
        Line(4, "monitoring:report-list", _("Read the issued reports; cite them with period, version and date.")),
        Line(4, "", _("Your access ends on a day. Ask the office in time if you need it longer.")),
        Line(
            4,
            "stakeholders:event-list",
            _("See which events and campaigns were held, and how many people they reached."),
        ),
    ],
    Role.ADMINISTRATOR: [
        Line(2, "admin:index", _("Look at the accounts: every person has one account, and nobody uses another's.")),
        Line(2, "admin:index", _("Give a role at an institution for a term. You cannot give one to yourself.")),
        Line(2, "stakeholders:institution-list", _("Check that codes and names of the institutions are right.")),
        Line(3, "", _("Make a backup and restore it on another machine. Only a backup that was restored is one.")),
        Line(3, "", _("Learn where the log is. It names pages and times, never what people wrote.")),
        Line(
            4, "admin:index", _("Read the code lists and settings. A code is never renamed: it is retired with a date.")
        ),
        Line(
            4,
            "problem-list",
            _("Answer the problems that people reported. Each holds the name of the page, not what stood on it."),
        ),
    ],
}

# Pages that are not in the left list, with the right that opens them; the others bring theirs from there.
OTHER_PAGES: dict[str, tuple[Promise, str]] = {
    "account_change_password": (_("Change the password"), "is_authenticated"),
    "report-problem": (_("Report a problem"), "is_authenticated"),
}


def guide_of(user: Any) -> list[tuple[int, list[tuple[Promise, str, str]]]]:
    """Days with their lines as (text, address, label of the link); address and label are empty where there is no page,
    or none that this person may open. Somebody with several roles gets the lines of all, each once."""
    pages = OTHER_PAGES | {entry.url_name: (entry.label, entry.right) for _title, entries in AREAS for entry in entries}
    lines = [*FIRST, *(line for role in Role.values if role in user.roles for line in GUIDES[role]), *LAST]
    days: list[tuple[int, list[tuple[Promise, str, str]]]] = []
    for day in DAYS:
        shown = []
        for line in lines:
            if line.day == day:
                label, right = pages.get(line.url_name, ("", ""))
                may_open = bool(right) and bool(getattr(user, right))
                shown.append((line.text, reverse(line.url_name) if may_open else "", str(label) if may_open else ""))
        if shown:
            days.append((day, shown))
    return days
