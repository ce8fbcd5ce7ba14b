"""What letters about alerts say beside the words of the alerts. Pure."""

from typing import Literal

from central.web.words import marked

LetterKind = Literal["raised", "again", "over", "digest"]
OPENINGS: dict[LetterKind, str] = {
    "raised": marked("This needs somebody now:"),
    "again": marked("This still needs somebody:"),
    "over": marked("This is over:"),
    "digest": marked("This is open today:"),
}
HEADINGS: dict[LetterKind, str] = {
    "raised": marked("to see to"),
    "again": marked("still to see to"),
    "over": marked("over"),
    "digest": marked("open today"),
}
SINCE = marked("Since")
ADVICE = marked("What to do")
ALL_ALERTS = marked("All alerts")
MORE = marked("Further ones: %(n)s")
