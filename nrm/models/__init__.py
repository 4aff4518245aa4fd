"""The referral mechanism: cases without identities, what happens to them, and what the office knows of the mechanism."""

from nrm.models.trained import (
    Headcount,
    Judgement,
    Participation,
    Trainee,
    TrainingFollowUp,
)
from nrm.models.training import (
    Course,
    CourseFile,
    SessionTrainer,
    Trainer,
    TrainingPlan,
    TrainingPlanItem,
    TrainingPlanState,
    TrainingSession,
    TrainingState,
)
from nrm.models.training_needs import (
    TOPICS,
    AnswerState,
    AssessmentState,
    NeedPriority,
    NeedsAnswer,
    NeedsAssessment,
    StaffFunction,
    StaffNeed,
    TopicNeed,
)

__all__ = [
    "TOPICS",
    "AnswerState",
    "AssessmentState",
    "Course",
    "CourseFile",
    "Headcount",
    "Judgement",
    "NeedPriority",
    "NeedsAnswer",
    "NeedsAssessment",
    "Participation",
    "SessionTrainer",
    "StaffFunction",
    "StaffNeed",
    "TopicNeed",
    "Trainee",
    "Trainer",
    "TrainingFollowUp",
    "TrainingPlan",
    "TrainingPlanItem",
    "TrainingPlanState",
    "TrainingSession",
    "TrainingState",
]
