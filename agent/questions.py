"""Questions about what is worn: what it is made of, whether it keeps the rain out, suits the event.

They are answered from the plan and change nothing.
"""

from __future__ import annotations

import re
from typing import Any

from agent.phrasebook import EVENTS, listed, name, of_card, say
from tools.wish import OCCASIONS

_SHAPES = (
    ("material", r"what.{0,40} made (?:of|from|out of)|(?:what|which) (?:material|fabric)|"
                 r"woraus|welche[ms]? (?:material|stoff)|(?:en |de )?quelle (?:matiere|etoffe)|"
                 r"en quoi (?:est|sont)|de que (?:material|tela|esta hech|estan hech)|"
                 r"什么(?:材质|料子|面料|材料|做的)|(?:何の)?素材(?:は|です)|何でできて"),
    ("waterproof", r"^(?:and )?(?:is|are|will|does|do) .*(?:water ?proof|rain ?proof|keep .*dry)|"
                   r"^(?:ist|sind|halt|halten) .*(?:wasserdicht|regendicht|regenfest)|"
                   r"(?:est|sont)(?: | il | elle ).*impermeables?|"
                   r"(?:es|son) (?:el |la |los |las |este |esta )?.*impermeables?\s*\?|"
                   r"防水(?:吗|么)|防水です"),
    ("dressy", r"(?:formal|dressy|smart|elegant|fancy) enough|"
               r"^(?:is|are) (?:that|this|it|they)[a-z ]{0,20} too (?:formal|casual|dressy|fancy)|"
               r"(?:fein|schick|formell|elegant|festlich) genug|"
               r"assez (?:habille|elegant|formel|chic)|"
               r"(?:bastante|suficientemente|lo bastante) (?:elegante|formal|arreglad)|"
               r"够不?够?正式|正式吗|(?:フォーマル|きちんと).{0,8}(?:ですか|十分|大丈夫)"),
)  # fmt: skip
_AS_DRESSY = 0.12
"""Formality by which an outfit may miss its occasion and still suit it."""


def question(folded: str) -> str | None:
    """material, waterproof or dressy when ``folded`` text asks for that of what is worn."""
    return next((kind for kind, shape in _SHAPES if re.search(shape, folded)), None)


def answer(kind: str, plan: dict[str, Any], shown: list[dict[str, Any]], language: str) -> str:
    """The answer about the garments ``shown``, or about the whole outfit."""
    if kind == "material":
        colon = {"fr": " : ", "zh": "：", "ja": "："}.get(language, ": ")
        said = [f"{of_card(g, language)}{colon}{name('material', g['material'], language)}"
                for g in shown]  # fmt: skip
        return say("This is what it is made of: {list}.", language, list=", ".join(said))
    if kind == "waterproof":
        dry = [of_card(g, language) for g in shown if g.get("waterproof")]
        wet = [of_card(g, language) for g in shown if not g.get("waterproof")]
        parts = [say("Waterproof: {list}.", language, list=listed(dry, language))] if dry else []
        if wet:
            parts.append(say("Not waterproof: {list}.", language, list=listed(wet, language)))
        return ("" if language in ("zh", "ja") else " ").join(parts)
    aim = OCCASIONS[plan.get("occasion") or "everyday"].formality
    worn = plan["garments"]
    level = sum(float(g["formality"]) for g in worn) / len(worn)
    event = EVENTS.get(plan["occasion"], plan["occasion"])
    told = "Yes, it is as dressy as {event:o} asks for."
    if level < aim - _AS_DRESSY:
        told = "It is more casual than {event:o} asks for. Say “more formal” and I will change it."
    elif level > aim + _AS_DRESSY:
        told = "It is dressier than {event:o} asks for. Say “more casual” and I will change it."
    return say(told, language, o=event)
