"""What a stylist says no to: undressing, children, harm, tricks, all that is not about clothes."""

from __future__ import annotations

import re

from agent.number_words import in_digits

_UNDRESS = re.compile(
    r"\b(?:(?<!no )(?<!not )nude(?! (?:tones?|heels|shoes|pumps|colou?rs?|shades?|sandals|flats|"
    r"bag|boots|loafers|belt|beige|pink))|(?<!no )(?<!not )(?:naked|nudity)|"
    r"undress\w*|topless|bottomless|strip(?:ping|ped)? (?:her|him|"
    r"them|off|naked)|without (?:any )?cloth\w*|no clothes|take (?:her|his|their|my) clothes off|"
    r"take off (?:all )?(?:her|his|their) clothes|nsfw|porn\w*|erotic\w*|sexual\w*|lingerie|"
    r"bare breasts?|nipples?|genital\w*|fetish|"
    r"remove (?:all )?(?:her|his|their|the) cloth\w*|strip(?:s|ped)? (?:down|naked|for)|striptease|"
    r"undies only|only (?:her |his )?underwear|bare (?:chest\w*|bottom|butt)|"
    r"x ray view|what(?:'s| is) under (?:her|his) (?:clothes|dress|skirt|shirt)|"
    r"nackt\w*|ausgezogen|auszieh\w*|ohne kleid(?:er|ung)|"
    r"(?<!bras )(?<!pieds )(?<!jambes )(?<!epaules )nue?s?|deshabill\w+|"
    r"sans vetements?|seins nus|(?<!nada )(?<!hombros )(?<!brazos )(?<!espalda )desnud\w*|"
    r"sin ropa|quitale (?:toda )?la ropa|sexo)\b|"
    r"(?:in|wearing|with) nothing(?: on| at all| else| underneath)?\s*(?:[.!?,]|$)|"
    r"裸|脱光|脱掉(?:她|他)?的?(?:所有|全部)?的?衣服|不穿(?:任何)?衣服|色情|ヌード|全裸|服を(?:全部)?脱|"
    r"什么(?:都|也)(?:不|没有?)穿|一丝不挂|光着身子|"
    r"何も(?:着て|着ず|身につけ|身に着け|まとって|まとわ)(?!いく|いける|いけ)|服を着て(?:い)?ない"
)
_UNDERWEAR = (
    r"(?:pant(?:y|ies)|undies|knickers|thong|underwear|underpants|briefs|boxers|bra|"
    r"unterwasche|unterhose|hoschen|slip|culotte|sous vetements|bragas|tanga|ropa interior)"
)
_LITTLE = (
    r"(?:scarf|scarves|hats?|beanie|cap|tie|belt|socks?|stockings|tights|heels|shoes|boots|"
    r"sneakers|sandals|bag|handbag|sunglasses|glasses|gloves|jewell?ery|necklace|towel|apron|"
    r"smile|schal|hut|socken|schuhen?|echarpe|chapeau|chaussures|bufanda|sombrero|zapatos)"
)
"""What covers nobody by itself."""
_BARELY = re.compile(
    rf"\b(?:just|only|merely|nothing but|nothing except|nur|seulement|juste|solo|solamente) "
    rf"(?:(?:in|en|con|mit|with|wearing|her|his|their|a|an|some|ihrer|sa|son|sus?) )*"
    rf"(?:\w+ )?{_UNDERWEAR}\b|"
    rf"\b(?:in|wearing|wears|en) (?:(?:her|his|their|a|sexy) )?(?:\w+ )?"
    rf"(?:pant(?:y|ies)|undies|knickers|thong|underwear|culotte|bragas|tanga)\b|"
    rf"\b(?:nothing (?:but|except|other than)|nichts als|nichts ausser|rien d' autre qu(?:'|e)|"
    rf"rien qu(?:'|e)|nada mas que|nada excepto) (?:(?:a|an|her|his|some|einen?|une?) )?"
    rf"(?:\w+ )?{_LITTLE}\b(?! (?:and|with) (?:a |her |his )?(?:dress|suit|coat|trousers))|"
    r"\b(?:tragt nichts|hat nichts an|nichts an(?:haben|hat)|ne porte rien|"
    r"sans rien (?:porter|sur)|sin nada (?:puesto|encima)|no lleva nada|nada puesto)\b|"
    r"只(?:穿|剩)着?(?:一条|一件)?\w{0,2}(?:内裤|内衣|胸罩|丁字裤)|下着(?:だけ|のみ|一枚|姿)|パンツ一丁|パンティ"
)
_SHEER = re.compile(
    r"(?<!no )(?<!not )(?<!too )\b(?:see through|transparent\w*)\b|(?<!nicht )\bdurchsichtig\w*|"
    r"(?<!不)透明的?(?:衣|裙|上衣|裤)|(?:衣服|裙子|上衣|裤子)\w{0,4}(?<!不)透明|透视装|透け(?!な|ず|ま)|シースルー"
)
_MADE_SHEER = re.compile(
    r"\b(?:make|turn|render|draw) (?:\w+ ){0,2}(?:clothes|clothing|dress|shirt|top|blouse|skirt|it|"
    r"them|outfit|everything|trousers|pants) (?:\w+ )?"
    r"(?:transparent|see through|sheer|invisible)\b|"
    r"\b(?:see|show) (?:\w+ ){0,2}(?:under|underneath|beneath) (?:it|her|his|the|their)\b"
)
_WORN_UNDER = (
    r"(?:top|cami(?:sole)?|tank(?: top)?|slip|shirt|t shirt|tee|dress|bodysuit|turtleneck|sweater|"
    r"debardeur|unterhemd|camiseta)"
)
_LINED = re.compile(
    rf"\b(?:over|under|underneath|beneath|on top of|with|par dessus|uber|sobre|con|mit|avec) "
    rf"(?:(?:an?|the|her|his|my|une?|einem?|una) )?(?:\w+ )?{_WORN_UNDER}\b|"
    rf"\b{_WORN_UNDER} (?:under|underneath|beneath)\b|\b(?:lined|lining|layer\w*)\b|"
    r"\b(?:see through|transparent\w*|durchsichtig\w*) (?:\w+ )?(?:bag|umbrella|frames|heels|"
    r"sandals|raincoat|tasche|bolso|paraguas|sac|parapluie)\b|\b(?:background|fond|fondo|"
    r"hintergrund)\b|内搭|打底|雨衣|雨伞|バッグ|インナー|重ね"
)
"""What makes see-through harmless: something is worn under it, or it is no garment."""
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
    r"\b(?:[1-9]|1[0-7]) ?(?:yo|y/o|y\.o\.?)\b|\b\d{1,2}[ -]months?[ -]old\b|"
    r"\b(?:[1-9]|1[0-7])[ -](?:years? old|ans|jahre alt|jahrige[rsnm]?|anos)\b|小孩|儿童|"
    r"小女孩|小男孩|未成年|(?<!\d)(?:[1-9]|1[0-7])岁|子供|幼い|(?<!\d)(?:[1-9]|1[0-7])[歳才]|宝宝"
)
_AGED = re.compile(
    r"\b(?:daughter|son|niece|nephew|girl|boy|sister|brother|grandson|granddaughter|cousin|student|"
    r"pupil|she|he|tochter|sohn|nichte|neffe|madchen|junge|schwester|bruder|fille|fils|garcon|"
    r"s[oœ]e?ur|frere|hija|hijo|sobrin[oa]|nin[oa]|chic[oa]|herman[oa])\b"
    r"(?:\s*\(\s*(?:age[d]? )?(?:[1-9]|1[0-7])\s*\)|"
    r"\s*,\s*(?:age[d]? )?(?:[1-9]|1[0-7])\s*(?:,|[.!?;]|$)|"
    r",? (?:is |who is |who's |'s )?(?:age[d]?|turns|turning) (?:[1-9]|1[0-7])\b|"
    r" (?:[1-9]|1[0-7]) (?:needs|wants|is|has|wears)\b|"
    r"(?: is|'s) (?:[1-9]|1[0-7])\s*(?:,|[.!?;]|$| and\b))"
    r"|(?:女儿|儿子|外甥女?|侄女|侄子|娘|息子|姪|甥)[,、(（]\s*(?:[1-9]|1[0-7])\s*(?:[,、)）]|$)"
)
_PARENT = re.compile(
    r"\b(?:mother|mum|mom|mommy|father|dad|parents?|grand(?:mother|father|ma|pa)|aunt|uncle|nanny|"
    r"teacher|coach|mutter|vater|mere|pere|maman|madre|padre|mama|papa)s? "
    r"(?:of|to|von|de|d'|eine[sr]) (?:(?:an?|my|our|two|three|four|young|little|small|twin|"
    r"zwei|drei|deux|trois|dos|tres|une?|eines|ein|\d) )*"
    r"(?:\d{1,2}[ -](?:years?|yrs?)[ -]olds?(?: (?:girl|boy|child|kid|son|daughter|twin)s?)?|"
    r"\d{1,2} jahrigen(?: kindes)?|(?:kids?|child(?:ren)?|toddlers?|bab(?:y|ies)|"
    r"teen\w*|sons?|daughters?|boys?|girls?|twins|kindern?|kindes|enfants?|nin[oa]s?|hij[oa]s?)"
    r"(?: (?:de|von|of) \d{1,2}(?: (?:ans|anos|jahren))?)?)\b"
)
"""A parent is dressed, whatever the age of the child."""
"""As the one to be dressed; whoever walks the kids to school is welcome."""
_HARM = re.compile(
    r"\b(?:bombs?|weapons?|guns?|pistols?|rifles?|firearms?|smuggl\w*|explosives?|"
    r"(?<!dressed to )kill(?:s|ed)?|killing(?! (?:me|it)\b)|"
    r"murder(?! myster)|suicide|hack\w*|steal|shoplift\w*|drugs?(?! ?stores?\b)|cocaine|"
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
    r"wind)\w*\b(?! enough)(?!.*\bit in\b)"
)


_IS_SHEER = re.compile(
    r"^(?:is|are|isn't|will) (?:the|this|that|it|they|these|those)\b[^.!]*\?|"
    r"^(?:ist|sind) (?:das|die|der|es|sie|diese\w*)\b[^.!]*\?|"
    r"^(?:est ce que )?(?:le|la|les|ce|cette)\b[^.!]*\b(?:est|sont)\b[^.!]*\?|"
    r"^¿?\s*(?:es|son|se) [^.!]*\?"
)
"""Whether a piece is see-through may be asked: most ask lest it be."""
_FLIRT = re.compile(
    r"\b(?:can|will|would|do|could) you (?:please )?(?:date|marry|kiss|love|go out with) me\b|"
    r"\b(?:i love you|are you single|be my (?:girl|boy)friend)\b"
)


def _sheer(folded: str) -> bool:
    """Whether something is asked for that shows what it should cover."""
    if _MADE_SHEER.search(folded):
        return True
    if _IS_SHEER.search(folded):
        return False
    bare = re.search(r"\bnothing\b", folded) or not _LINED.search(folded)
    return bool(_SHEER.search(folded) and bare)


def refusal(folded: str) -> str:
    """Why ``folded`` text is declined: undress, child, inject, harm, elsewhere; or ""."""
    folded = _PARENT.sub("parent", in_digits(folded))
    if _TAKE_OFF.search(folded) and not _INSTEAD.search(folded):
        return "undress"
    if _BARELY.search(folded) or _sheer(folded):
        return "undress"
    if _AGED.search(folded):
        return "child"
    for reason, pattern in (
        ("undress", _UNDRESS), ("child", _CHILD), ("inject", _INJECT), ("harm", _HARM),
    ):  # fmt: skip
        if pattern.search(folded):
            return reason
    if _FLIRT.search(folded):
        return "elsewhere"
    other = _TOPIC.search(folded) or _FORECAST.search(folded)
    if _ORDER.search(folded) or other and not _DRESSING.search(folded):
        return "elsewhere"
    return ""
