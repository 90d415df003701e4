"""Which words the offline model knows something about.

Words are compared by their first letters, so that `refund`, `refunds` and `refunded` are one.
"""

import re

STEM_LETTERS = 5

_WORD = re.compile(r"[^\W\d_]{2,}")


def read_words(text: str) -> list[str]:
    """The words of a text in lower case, in order, single letters left out."""
    return _WORD.findall(text.lower())


def build_stem(word: str) -> str:
    """The part of a word by which it is compared."""
    return word[:STEM_LETTERS]


def build_stems(text: str) -> frozenset[str]:
    """The stems of all telling words of a text."""
    return frozenset(word[:STEM_LETTERS] for word in read_words(text) if word not in STOP_WORDS)


STOP_WORDS = frozenset(
    read_words(
        """
    about above after again against all almost already also although always am an and another any anybody anything are
    as at away back be because been before being below between both but by came can cannot come could dear did
    didn do does doesn doing don done down during each either else etc even ever every everything few first for
    from get gets getting give given go goes going gone got had hadn has hasn have haven having he hello her
    here hers hey hi him his how however if in instead into is isn it its itself just last least less let like
    ll made make makes many may maybe me might more most much must my myself need needs never new next no nor
    not nothing now of off often ok on once one only onto or other our out over own per please put quite rather
    re really regards said same say says see seem she should shouldn since so some somebody someone something soon still
    such sure take than thank thanks that the their them then there these they thing things this those though
    through time to today together too took two under until up upon us use used using ve very want was wasn way
    we well went were weren what when where whether which while who whom whose why will with within without
    won would wouldn yes yet you your yours
        """
    )
)

POSITIVE = build_stems(
    """
    amazing appreciate awesome beautiful best brilliant clear cheerful convenient delighted easy easily elegant
    engaging enjoyed enjoyable excellent fair fantastic favourite favorite friendly fun glad good grateful
    great happy helped helpful impressed inspiring interesting love loved lovely nice outstanding
    perfect pleasant pleased praise proud recommend reliable satisfied smooth solid superb useful warm
    valuable wonderful
    """
)

NEGATIVE = build_stems(
    """
    angry annoyed annoying awful bad boring broke broken chaotic cold complain complaint confused confusing
    crash crashed crashes cumbersome damaged dead defective delay delayed difficult dirty disappointed
    disappointing dull error errors fail failed failing fails failure frustrated frustrating hard hate hated
    horrible hurt impossible incorrect kill lack lacking late lose losing lost mess miss missing mistake noisy
    outdated overcharged pain painful poor problem problems rude sad scam shame slow stuck stupid terrible
    tired ugly unacceptable unclear unfair unhappy unusable upset useless waste worse worst wrong
    """
)

URGENT = build_stems(
    """
    asap blocked blocker breach burning burnt critical danger dangerous crash crashed deadline down emergency escalate fire fraud hacked
    immediately leak locked lost lawyer legal now outage production security smoke sparks stolen stuck today
    tonight unable unacceptable unsafe urgent urgently yesterday
    """
)

CALM = build_stems(
    """
    curious eventually feature future idea minor question someday suggestion suggest sometime typo whenever
    wish wonder wondering wondered
    """
)

QUESTION_MARK = "?"
"""Counts among the stems of a text that asks something."""

_KINDRED = {
    "easy": "junior beginner basic basics introduction",
    "hard": "senior lead expert advanced principal",
    "account": "account email log login password profile signed sign locked username",
    "access": "access login log password permission locked denied",
    "billing": "bill billed charge charged credit card invoice payment paid refund subscription vat price",
    "bug": "bug crash crashed error exception fails freezes broken stuck wrong glitch",
    "business": "company market money sales customer deal profit",
    "cancellation": "cancel cancelled cancellation terminate unsubscribe",
    "complaint": "complaint complain disappointed unacceptable angry rude terrible",
    "data": "data export import table column file csv report",
    "delivery": "arrived carrier courier delivered delivery parcel package shipped shipping tracking delayed",
    "fault": "broke broken burnt dead defective error fails faulty heating hot loses offline reset restarted smell",
    "feature": "add feature idea request suggestion support wish would",
    "hardware": "battery cable device keyboard laptop monitor printer screen",
    "order": "order ordered purchase bought cart checkout",
    "payment": "card charge charged paid payment invoice bank",
    "personal": "family father friend life love mother wife daughter son home",
    "political": "congress election government law policy politics president senator vote war",
    "praise": "great excellent thank love wonderful recommend",
    "pricing": "cost discount expensive plan price pricing quote",
    "refund": "refund refunded return returned money back",
    "return": "return returned exchange refund send",
    "sales": "buy demo discount offer plan price quote trial upgrade",
    "security": "breach fraud hacked leak password phishing security suspicious",
    "shipping": "arrived carrier courier delivered delivery parcel package shipped shipping tracking",
    "technical": "app bug crash crashed error fails install loading server slow update broken",
}

KINDRED = {build_stem(word): build_stems(text) for word, text in _KINDRED.items()} | {
    build_stem("question"): frozenset({"wonde", QUESTION_MARK}),
    build_stem("urgent"): URGENT,
    build_stem("critical"): URGENT,
    build_stem("high"): URGENT,
    build_stem("low"): CALM,
}
"""For the stem of a word that names a choice: the stems of words that speak for it."""

GOOD = build_stems("positive approve accept keep")
MIXED = build_stems("mixed adjust")
BAD = build_stems("negative reject rework")
"""Words of choices that follow the mood of a text."""
PRAISE_FIELDS = build_stems("good best liked like positive pro pros strength strengths") | {"well"}
CRITICISM_FIELDS = build_stems(
    "bad cons dislike improve improvement missing negative weakness worst"
)
"""Words in the names of columns that ask people what they liked and what they did not."""

UNDECIDED = frozenset(
    {
        "general",
        "medium",
        "misc",
        "moderate",
        "neutral",
        "none",
        "normal",
        "other",
        "unclear",
        "unknown",
    }
)
"""Choices to fall back on where nothing speaks for any."""

INSTRUCTIONS = frozenset(
    read_words(
        """
    analyse analyze answer assess classify decide describe determine do evaluate extract fill find follow
    generate give identify judge list note provide rate read remember reply respond return review rewrite
    solve summarise summarize translate use write you your
        """
    )
)
"""First words of a paragraph that tells the model what to do."""
