from onatc.dated_settings import DatedSetting
from onatc.help import ProblemReport, ProblemState
from onatc.jobs import Heartbeat, Job, JobState
from onatc.kept import RecordChange
from onatc.mail import Message, MessageState
from onatc.vocabulary import Code, CodeList, District, Municipality

__all__ = [
    "Code",
    "CodeList",
    "DatedSetting",
    "District",
    "Heartbeat",
    "Job",
    "JobState",
    "Message",
    "MessageState",
    "Municipality",
    "ProblemReport",
    "ProblemState",
    "RecordChange",
]
