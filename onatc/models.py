from onatc.backup import BackupRun
from onatc.dated_settings import DatedSetting, Holiday
from onatc.help import ProblemReport, ProblemState
from onatc.jobs import Heartbeat, Job, JobState
from onatc.kept import RecordChange
from onatc.mail import Message, MessageState
from onatc.operation import Certificate, Maintenance
from onatc.schedules import ScheduledRun
from onatc.search import SearchEntry, SearchProgress, SearchTerm
from onatc.trail import TrailEntry
from onatc.vocabulary import Code, CodeList, District, Municipality

__all__ = [
    "BackupRun",
    "Certificate",
    "Code",
    "CodeList",
    "DatedSetting",
    "District",
    "Heartbeat",
    "Holiday",
    "Job",
    "JobState",
    "Maintenance",
    "Message",
    "MessageState",
    "Municipality",
    "ProblemReport",
    "ProblemState",
    "RecordChange",
    "ScheduledRun",
    "SearchEntry",
    "SearchProgress",
    "SearchTerm",
    "TrailEntry",
]
