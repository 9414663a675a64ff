"""What a stylist says no to: undressing, children, harm, tricks, all that is not about clothes."""

from __future__ import annotations

import re

_UNDRESS = re.compile(
    r"\b(?:nude(?! (?:tones?|heels|shoes|pumps|colou?rs?|shades?|sandals|flats))|naked|nudity|"
    r"undress\w*|topless|bottomless|strip(?:ping|ped)? (?:her|him|"
    r"them|off|naked)|without (?:any )?cloth\w*|no clothes|take (?:her|his|their|my) clothes off|"
    r"take off (?:all )?(?:her|his|their) clothes|nsfw|porn\w*|erotic\w*|sexual\w*|lingerie|"
    r"(?<!no )(?<!not )see through|bare breasts?|nipples?|genital\w*|fetish|"
    r"remove (?:all )?(?:her|his|their|the) cloth\w*|strip(?:s|ped)? (?:down|naked|for)|striptease|"
    r"undies only|only (?:her |his )?underwear|bare (?:chest\w*|bottom|butt)|"
    r"x ray view|what(?:'s| is) under (?:her|his) (?:clothes|dress|skirt|shirt)|"
    r"nackt\w*|ausgezogen|auszieh\w*|ohne kleid(?:er|ung)|"
    r"(?<!bras )(?<!pieds )(?<!jambes )(?<!epaules )nue?s?|deshabill\w+|"
    r"sans vetements?|seins nus|desnud\w*|sin ropa|quitale (?:toda )?la ropa|sexo)\b|"
    r"(?:in|wearing|with) nothing(?: on| at all| else| underneath)?\s*(?:[.!?,]|$)|"
    r"裸|脱光|脱掉(?:她|他)?的?(?:所有|全部)?的?衣服|不穿衣服|色情|ヌード|全裸|服を(?:全部)?脱"
)
_TAKE_OFF = re.compile(
    r"\btake off (?:her|his|their) (?:shirt|top|trousers|pants|dress|skirt|underwear|bra)\b"
)
_INSTEAD = re.compile(r"\b(?:instead|put on|give|swap|replace|wear|change)\b")
_CHILD = re.compile(
    r"\b(?:for|of|dress|dresses|draw|show|picture|as|on)\s+"
    r"(?:(?!pick|drop|tak|walk|play|school|meet|driv)\w+\s+){0,3}?(?:child|children|kids?|"
    r"toddlers?|bab(?:y|ies)|infants?|teen\w*|minors?|kinder?|enfants?|nin[oa]s?)\b|"
    r"\b(?:schoolgirl|schoolboy|underage|(?:[1-9]|1[0-7])[ -]?(?:year|yr)s?[ -]old|little (?:girl|"
    r"boy)|enfant de|hija de (?:\d|1[0-7]) anos|sexy (?:teen|kid|child|girl)|preteen)\b|"
    r"\b(?:[1-9]|1[0-7]) (?:years? old|ans|jahre alt|jahrige[rsn]?|anos)\b|小孩|儿童|小女孩|小男孩|"
    r"未成年|(?<!\d)(?:[1-9]|1[0-7])岁|子供|幼い|(?<!\d)(?:[1-9]|1[0-7])歳|宝宝"
)
"""As the one to be dressed; whoever walks the kids to school is welcome."""
_HARM = re.compile(
    r"\b(?:bombs?|weapons?|guns?|pistols?|rifles?|firearms?|smuggl\w*|explosives?|kill(?:s|ed|ing)?|"
    r"murder|suicide|hack\w*|steal|shoplift\w*|drugs?|cocaine|"
    r"meth|nazi|swastika|kkk|ss uniform|terroris\w+|racist|blackface|malware|poison|counterfeit|"
    r"stalk\w*|hurt (?:my|her|him|them|someone|somebody)|self harm|hitler|ku klux klan|bombe|"
    r"waffen?|"
    r"arme a feu|tuer|umbringen|toten|matar|bomba|pistola)\b|炸弹|杀人|武器|爆弾|殺|毒品"
)
_INJECT = re.compile(
    r"\b(?:ignore|disregard|forget) (?:\w+ ){0,3}(?:instructions|rules|prompt|guidelines)|"
    r"system prompt|hidden (?:instructions|prompt)|(?:ignorez?|"
    r"oublie[sz]?) (?:\w+ ){0,3}(?:instructions|"
    r"consignes)|ignorier\w* (?:\w+ ){0,3}(?:anweisungen|regeln)|ignora (?:\w+ ){0,3}instrucciones|"
    r"忽略(?:之前|以上|所有)|指示を無視|you are now (?:a|an|in|dan)\b|act as (?:a|an) (?!stylist)|"
    r"pretend (?:to be|you are) (?!a stylist)|reveal your|developer mode|jailbreak|"
    r"your (?:instructions|prompt)|api key|password|"
    r"/etc/|rm -rf|drop table|\bsudo\b|environment variable"
)
_ORDER = re.compile(
    r"^(?:please |can you |could you |would you |i want you to )*"
    r"(?:write|compose|translate|solve|calculate|code|program|debug|summari[sz]e|recite|sing|prove)\b"
)
_DRESSING = re.compile(
    r"\b(?:wear\w*|outfits?|dress(?:ed)? (?:me|up|for)|clothes|put on|look for|style me|go in|"
    r"anzieh\w*|tenues?|habill\w*|porter|mettre|ropa|vestir\w*|pongo|conjunto)\b|穿|搭配|コーデ|服|着る"
)
_TOPIC = re.compile(
    r"\b(?:poem|essay|python|javascript|sql|homework|equation|capital of|president|prime "
    r"minister|stock price|stocks?|bitcoin|crypto|recipe|bake|movie|lyrics|football score|"
    r"who won|who is the|who was|tell me a joke|joke|weather forecast|what'?s the weather|what is "
    r"the weather|how (?:do|can) i (?:fix|cook|install|cure|invest)|medical|diagnos\w+|lawyer|"
    r"tax(?:es)?|horoscope|meaning of life|election|square root|pills?|vaccine|symptoms?|mortgage|"
    r"visa application|world cup|football match|translate|poeme|gedicht|poema|traduis|ubersetze|"
    r"traduce|recette|rezept|receta|hauptstadt|capitale|presidente?|witz|blague|chiste|"
    r"hausaufgaben|wetterbericht|wie wird das wetter|quel temps fera)\b|"
    r"\d\s*[*×x÷/+]\s*\d+\s*(?:=|\?|$)|写一?首诗|写诗|诗歌|翻译|菜谱|首都|总统|笑话|股票|比特币|数学题|"
    r"作业|詩を|翻訳|レシピ|首都|大統領|冗談|株価|宿題|天気予報"
)
_FORECAST = re.compile(
    r"^(?:will|is) it (?:going to |gonna )?(?:be )?(?:rain|snow|sunny|hot|cold|warm|"
    r"wind)\w*\b(?!.*\bit in\b)"
)


def refusal(folded: str) -> str:
    """Why ``folded`` text is declined: undress, child, inject, harm, elsewhere; or ""."""
    if _TAKE_OFF.search(folded) and not _INSTEAD.search(folded):
        return "undress"
    for reason, pattern in (
        ("undress", _UNDRESS), ("child", _CHILD), ("inject", _INJECT), ("harm", _HARM),
    ):  # fmt: skip
        if pattern.search(folded):
            return reason
    other = _TOPIC.search(folded) or _FORECAST.search(folded)
    if _ORDER.search(folded) or other and not _DRESSING.search(folded):
        return "elsewhere"
    return ""
