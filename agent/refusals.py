"""What a stylist says no to: undressing, children, harm, tricks, all that is not about clothes."""

from __future__ import annotations

import re

_UNDRESS = re.compile(
    r"\b(?:nude|naked|nudity|undress\w*|undressed|topless|bottomless|strip(?:ping|ped)? (?:her|him|"
    r"them|off|naked)|without (?:any )?cloth\w*|no clothes|take (?:her|his|their|my) clothes off|"
    r"take off (?:all )?(?:her|his|their) clothes|nsfw|porn\w*|erotic\w*|sexual\w*|lingerie|see "
    r"through|bare breasts?|nipples?|genital\w*|fetish|remove (?:all )?(?:her|his|their|the) "
    r"cloth\w*|nackt|nue?|nus|desnud\w+)\b|裸|脱光|ヌード|全裸"
)
_CHILD = re.compile(
    r"\b(?:for|of|dress|dresses|draw|show|picture|as|on)\s+(?:\w+\s+){0,3}?(?:child|children|kids?|"
    r"toddlers?|bab(?:y|ies)|infants?|teen\w*|minors?|kinder?|enfants?|nin[oa]s?)\b|"
    r"\b(?:schoolgirl|schoolboy|underage|(?:[1-9]|1[0-7])[ -]?(?:year|yr)s?[ -]old|little (?:girl|"
    r"boy))\b|小孩|儿童|子供|宝宝"
)
"""As the one to be dressed; whoever walks the kids to school is welcome."""
_HARM = re.compile(
    r"\b(?:bomb|weapons?|explosive|kill\w*|murder|suicide|hack\w*|steal|shoplift\w*|drugs?|cocaine|"
    r"meth|nazi|swastika|kkk|ss uniform|terroris\w+|racist|blackface|malware|poison|counterfeit|"
    r"stalk\w*)\b"
)
_INJECT = re.compile(
    r"\b(?:ignore|disregard|forget) (?:\w+ ){0,3}(?:instructions|rules|prompt|guidelines)|"
    r"system prompt|developer mode|jailbreak|your (?:instructions|prompt)|api key|password|"
    r"/etc/|rm -rf|drop table|\bsudo\b|environment variable"
)
_ELSEWHERE = re.compile(
    r"^(?:please |can you |could you |would you |i want you to )*"
    r"(?:write|compose|translate|solve|calculate|code|program|debug|summari[sz]e|recite|sing|prove)"
    r"\b|\b(?:poem|essay|python|javascript|sql|homework|equation|capital of|president|prime "
    r"minister|stock price|stocks?|bitcoin|crypto|recipe|bake|movie|lyrics|football score|"
    r"who won|who is the|who was|tell me a joke|joke|weather forecast|what'?s the weather|what is "
    r"the weather|how (?:do|can) i (?:fix|cook|install|cure|invest)|medical|diagnos\w+|lawyer|"
    r"tax(?:es)?|horoscope|meaning of life|election|square root)\b"
)


def refusal(folded: str) -> str:
    """Why ``folded`` text is declined: undress, child, inject, harm, elsewhere; or ""."""
    for reason, pattern in (
        ("undress", _UNDRESS), ("child", _CHILD), ("inject", _INJECT), ("harm", _HARM),
        ("elsewhere", _ELSEWHERE),
    ):  # fmt: skip
        if pattern.search(folded):
            return reason
    return ""
