"""The wordings by which text tries to instruct a language model, as patterns of RE2, which takes linear time.

They are written for text that is folded (lower case, no accents) and whose white space is single spaces.
"""

from collections.abc import Iterable
from typing import Any

import re2

_MODEL = (
    r"(?:(?:ai|a\.i\.|large language|language|llm|gpt|chat|virtual|digital) ?(?:assistant|model|system|agent|bot|"
    r"reader)s?"
    r"|chat ?(?:bot|gpt)s?|llms?|gpt-?\d\w*|copilot|claude|gemini)"
)
_FEW = r"(?:[\w'’]+,? ){0,4}?"
_DROP = (
    r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass|discard|overlook|neglect|"
    r"pay no attention to|(?:do not|don'?t|stop|never) (?:follow|obey|listen to|adhere to|comply with)(?:ing)?|"
    r"stop (?:following|obeying|listening to))"
)
_BEFORE = r"(?:previous(?:ly given)?|prior|above|earlier|preceding|foregoing|initial|original|system|existing)"
_ORDERS = r"(?:instructions?|prompts?|directives?|guidelines?|system messages?|programming|commands given)"
_LEASH = (
    r"(?:rules|training|restrictions|constraints|safety \w+|ethic\w+|safeguards|guardrails|content polic\w+|filters)"
)
_KEPT_BACK = r"(?:system|initial|hidden|original|secret|internal|developer|base|confidential|pre)"
_TELL = (
    r"(?:reveal|show|print|output|repeat|display|disclose|leak|expose|dump|recite|divulge|share|return|write out|"
    r"spell out"
    r"|tell (?:me|us)|give (?:me|us)|what (?:is|are|was|were)|summari[sz]e|translate|copy|paste)"
)
_TALK = r"(?:chat|conversation|message|dialog(?:ue)?)"
_DIGESTS = r"(?:summar(?:y|ies)|abstracts?|overviews?)"
_MUST = r"(?:must|should|shall|has to|have to|needs? to|ought to|(?:is|are) to)"
_WRITE = (
    r"(?:state|say|mention|include|contain|recommend|conclude|claim|begin|start|end|close|note|stress|omit|praise|tell|"
    r"add|write|respond|reply|read)"
)

_OVERRIDES = [
    rf"\b{_DROP} {_FEW}{_BEFORE} (?:[\w'’]+,? ){{0,2}}?{_ORDERS}\b",
    rf"\b{_DROP} (?:all |any |every |each )?(?:of )?(?:the |your |these |those |my )?{_ORDERS} "
    r"(?:above|before|so far|(?:that )?(?:you (?:have been|were|got|received|are)|(?:came|given|provided|stated) ))",
    rf"\b{_DROP} (?:all |any )?(?:of )?your (?:\w+ ){{0,2}}?(?:{_ORDERS}|{_LEASH})\b",
    rf"\b{_DROP} (?:all|any) (?:of )?(?:the )?{_BEFORE} (?:\w+ ){{0,2}}?(?:rules|text|messages?|content|"
    rf"context|{_TALK}s?)\b",
    rf"\b{_DROP} (?:all|any|every) (?:instructions?|prompts?|directives?)\b(?: and| \.|[.,:;!]| or|$)",
    rf"\b{_DROP} (?:everything|anything|whatever|all) (?:you (?:were|have been|are|know|learned)|i (?:have )?(?:said|"
    rf"told)|"
    r"above(?: this| and|[.,:;!]|$)|before this|that came before|(?:that was )?(?:said|written|stated) (?:above|"
    r"before|so far))",
    rf"\b{_DROP} (?:the )?(?:user'?s?|person'?s?) (?:\w+ )?(?:question|query|request|instructions?)\b(?: and|[.,:;!]|"
    rf"$)",
    r"\byour (?:new|real|true|actual|only|updated) (?:system )?(?:instructions?|prompt|directives?|objective) "
    r"(?:is|are|will|now)\b",
    rf"\b(?:new|updated|revised|secret|hidden|real) (?:system (?:instructions?|prompt)|instructions? (?:for|to) "
    rf"(?:the |any |all |every )?(?:{_MODEL}|assistant|model|ai))\b",
    rf"\binstructions? (?:for|to) (?:the |any |all |every )?(?:{_MODEL}|ai)\b(?: ?[:.]| (?:reading|processing|that|"
    rf"who))",
]
_ROLES = [
    rf"\byou are (?:now|from now on|no longer|henceforth) (?:an? |the |in |acting as |my )?(?:[\w-]+ ){{0,3}}?"
    rf"(?:{_MODEL}|assistant|dan\b|ai|model|jailbr\w+|unrestricted|unfiltered|uncensored|"
    r"unbound|evil|hacker|pirate|(?:developer|debug|god|admin|maintenance|dan|jailbreak|unrestricted) mode|bound by)",
    rf"\byou are (?:not )?an? (?:[\w-]+ ){{0,3}}?(?:{_MODEL}|ai|helpful assistant)"
    r"(?: (?:that|who|which|designed|trained|made|whose|and|without|with)\b|[.,:;!]|$)",
    rf"\b(?:act|behave|respond|answer|reply|speak|roleplay|pose|operate) (?:as|like) (?:if you (?:are|were) )?(?:an? "
    rf"|the )?"
    rf"(?:[\w-]+ ){{0,3}}?(?:{_MODEL}|dan\b|ai\b|unrestricted|uncensored|jailbr\w+)",
    rf"\bpretend (?:to be|that you are|you are|you're|you have) (?:an? |the )?(?:[\w-]+ ){{0,3}}?"
    rf"(?:{_MODEL}|dan\b|ai\b|unrestricted|uncensored|no (?:restrictions|rules|limits|guidelines|filters))",
    r"\bfrom (?:now|here|this (?:point|moment)) on(?:wards?)?,? (?:you (?:will |must |should |shall |are to |can "
    r")?)?(?:only |always )?"
    r"(?:respond|answer|reply|speak|act as|pretend|behave as|output|roleplay)\b",
    r"\b(?:you (?:can|will|may) )?do anything now\b",
    r"\byou (?:have|are) (?:been |now )?(?:jailbroken|unlocked from|freed from (?:your|all|the))\b",
    rf"\bif you are an? (?:{_MODEL}|ai\b)",
    rf"\b(?:dear|hey|hello|hi|attention|note (?:to|for)|notice (?:to|for)|message (?:to|for)|important for|warning to) "
    rf"(?:all |any |the |every |whichever )?(?:{_MODEL}|ai|assistant|model|summari[sz]er)s? ?(?:[:!,]|reading|"
    rf"processing|that (?:is |are )?"
    r"(?:read|process|summari[sz])\w*|who (?:is |are )?(?:read|process)\w*)",
    rf"\b(?:{_MODEL}|ai|assistants?|models?) (?:reading|processing|summari[sz]ing|parsing|that (?:reads?|"
    rf"process(?:es)?)) this\b",
    r"^\W{0,6}(?:system|assistant|human|user)\W{0,4}:\W{0,4}(?:you (?:are|must|will|should|shall|"
    r"have)|ignor|disregard|override|"
    r"forget|reveal|from now on|always|never|do not|respond|reply|answer|new (?:instruction|rule|task|directive|"
    r"polic)|your |"
    r"the (?:assistant|ai|model)|tell the user|sure[,!]|of course[,!]|understood[.,!]|(?:please )?(?:print|repeat|"
    r"show) your)",
]
_PROMPT = [
    rf"\b{_TELL} {_FEW}(?:your |the )?{_KEPT_BACK} ?(?:prompts?|instructions? (?:you|verbatim|above|word)|messages? "
    rf"(?:you|verbatim|above|word))\b",
    rf"\b{_TELL} {_FEW}your (?:{_KEPT_BACK} )?(?:prompts?|instructions? (?:verbatim|above|word for word|to (?:me|the "
    rf"user)|you)|"
    rf"{_KEPT_BACK} (?:instructions?|rules|messages?|configuration))\b",
    r"\b(?:reveal|disclose|leak|expose|dump|recite|divulge) your (?:instructions?|prompts?|rules|configuration|"
    r"training)\b",
    r"\brepeat (?:the words|everything|the text|all (?:of )?(?:the )?(?:text|words)) (?:that (?:is|was) )?(?:written "
    r")?(?:above|before this)\b",
    r"\bstarting with (?:the (?:words|phrase) )?[\"“'‘]?you are\b",
    r"\b(?:begin|start|end|beginning) (?:of )?(?:the )?(?:new |hidden |secret )?(?:system|developer|"
    r"admin)(?:[ _-]*(?:prompt|instructions?|override))",
    r"\bsystem[ _-]*(?:prompt|override|instructions?|directive)s? ?[:=>\]]",
    r"\b(?:prompt|instruction) (?:injection|override) (?:mode|begins?|start|activated)\b",
]
_REPLIES = [
    r"\b(?:add|append|include|insert|embed|attach|paste|put) (?:the |this |an? )?(?:following |markdown )?"
    r"(?:\[|!\[|<|https?:|(?:link|image|url|picture|tag)\b).{0,160}?"
    r"\b(?:to|in|into|at the end of) (?:the|your|every|each|any) (?:answer|reply|response|output|summary)s?\b",
    r"\b(?:respond|reply) (?:to (?:the user|all \w+|every \w+|any \w+|this) )?(?:only|solely|exclusively|exactly|"
    r"just) (?:with|in|by|using)\b",
    r"\b(?:respond|reply) (?:with )?(?:only|exactly|nothing but|just) (?:the|with|this|\W?[\"“'‘])",
    r"\banswer (?:only|solely|exclusively) with the (?:words?|phrase|sentence|text|string)\b",
    r"\b(?:only|always) (?:respond|reply) (?:with|in|by)\b",
    r"\b(?:in|to|into|(?:at|to) the (?:end|start|beginning|top|bottom) of) (?:every|each|all(?: of)? your|any|your "
    r"(?:next|final|every)) "
    r"(?:further |future |subsequent )?(?:response|reply|completion|output)s?\b",
    r"\byour (?:next|final|entire|whole|only|first) (?:response|reply|output|completion)\b",
    r"\byour (?:response|reply|output|completion)s? (?:must|should|shall|has to|have to) (?:always |only )?"
    r"(?:be exactly|consist (?:only|solely)|contain (?:only|nothing)|begin with|start with|end with)",
    r"\b(?:when(?:ever)?|if|before|while|after) (?:you (?:are )?)?(?:asked to )?(?:summari[sz](?:ing|e)|processing|"
    r"reading|analy[sz]ing|analy[sz]e|"
    r"translating|translate|(?:asked|answering(?: any)?(?: questions?)?) (?:about|from|on)) this (?:document|text|"
    r"page|passage|article|e-?mail|message|"
    r"file|content|web ?(?:site|page)|report|chunk)\b.{0,80}?\b(?:say|state|write|respond|reply|claim|output|append|"
    r"recommend|"
    r"tell|mention|include|insert|answer|praise|conclude|rate)\b",
    r"\bwhen(?:ever)? (?:you (?:are )?)?(?:summari[sz](?:ing|e)|asked to summari[sz]e) (?:the|any) (?:document|text|"
    r"page|article|"
    r"passage|file)s?,? (?:always |you (?:must|should) )?(?:say|state|claim|tell|respond|reply|output)\b",
    rf"\b{_DIGESTS} (?:of|made of|generated from|drawn from|based on) (?:this|the present|these) (?:report|document|"
    r"text|page|article|paper|file|passage|section|e-?mail|message|content|manual|filing|contract)s? "
    rf"{_MUST} (?:\w+ )?{_WRITE}\b",
    rf"\b(?:any|all|every|each) (?:automated |automatic |automatically generated |ai[- ]generated |machine[- ]made |"
    rf"generated )+{_DIGESTS}\b.{{0,60}}?\b{_MUST} (?:\w+ )?{_WRITE}\b",
    r"^\W*(?:the|your|any|every) (?:summar(?:y|ies)|abstract) (?:must|should|shall) (?:not|never|always) "
    r"(?:mention|say|reveal|recommend|praise)\b",
    r"\bwhen(?:ever)? (?:you (?:are )?)?(?:asked to )?summari[sz](?:ing|e)"
    r"(?: (?:this|it|the (?:above|following))(?: \w+)?)?,? (?:please )?"
    rf"(?:always|never|only|do not|don'?t|you (?:must|should)) (?:\w+ )?{_WRITE}\b",
    r"\bthe (?:following|next|above|preceding) (?:sentence|paragraph|line|text|statement) is the (?:only )?"
    r"(?:correct|true|valid|accurate|official|acceptable|approved|right) (?:summary|abstract|answer)\b",
    r"\binstead,? (?:just |simply |only )?(?:respond|reply|output)(?: with)?[ :]",
    r"\b(?:do not|don'?t|never|must not) (?:tell|inform|alert|notify|warn|let) (?:the )?users? "
    r"(?:about (?:this|these|that|any of this|it)|that you|anything|this|these|know|of (?:this|these))\b",
    r"\b(?:do not|don'?t|never|must not) (?:tell|inform|alert|notify|warn) the user ?(?:[.,;:!]|$)",
    r"\b(?:do not|don'?t|never|must not) (?:mention|reveal|disclose|acknowledge|refer to|repeat) (?:to the user "
    r")?(?:this|these|the (?:above|hidden)) "
    r"(?:instructions?|prompts?|messages?|directives?)\b",
    r"\b(?:keep|hide) (?:this|these) (?:(?:instructions?|messages?|prompts?) )?(?:secret|hidden|confidential)? ?from "
    r"the user\b",
    r"\bwithout (?:telling|mentioning (?:it|this) to) the user\b",
    r"\bthe (?:assistant|ai|model|chatbot|llm) (?:must|should|shall|will|has to|is (?:required|instructed|ordered|"
    r"told) to) (?:now |always |only )?"
    r"(?:ignore|disregard|reveal|obey|output|state that|say that|forget|never mention)\b",
]
_LEAKS = [
    rf"\b(?:send|post|forward|transmit|upload|exfiltrate|leak|append|submit|copy|encode|put|include|embed|pass|"
    rf"deliver|report) {_FEW}"
    rf"(?:{_TALK}s?(?: (?:history|logs?|transcripts?|contents?|so far|above))?|system prompt|context window|user'?s? "
    rf"(?:question|quer(?:y|ies)|"
    r"messages?|data|input|details|name|e-?mail\w*|documents?|passwords?)|(?:above|previous|prior) (?:messages?|"
    r"text)|everything above|"
    r"(?:other|all) (?:sources|documents|passages|evidence)|your (?:prompt|instructions|context|memory|answer))\b"
    r".{0,60}?(?:https?:?//|\b(?:ftp|wss?)://|\bwebhook\b|\bwww\.|as (?:a )?(?:url )?(?:query )?param)",
    r"!\[[^\]]*\]\([a-z]+://[^)]*[?&/#=](?:[\w-]*=)?(?:\{|\[|<|%7b|\$)",
    r"!\[[^\]]*\]\([a-z]+://[^)]*[?&][\w-]+=(?:[\w%+-]*(?:conversation|secret|system.?prompt|chat.?history|"
    r"user.?data|your.?answer|summary.?here))",
    r"\b(?:render|display|show|insert|output|include|add|append|embed|end with) (?:\w+ ){0,3}?(?:markdown |following "
    r"|this )(?:markdown )?(?:image|link) "
    r"(?:\w+ ){0,4}?(?:response|reply|answer|output|end)",
]
_GERMAN = [
    r"\b(?:ignorier(?:e|t|en sie)|vergiss|vergesst|vergessen sie|missachte|missachten sie|verwirf|uberspringe) "
    r"(?:[\w']+ ){0,3}?"
    r"(?:(?:vor|bis|obig|fruher|vorangegangen|vorstehend|ursprunglich)\w* |(?:deine|ihre|eure)r? )(?:[\w']+ ){0,2}?"
    r"(?:anweisung|instruktion|vorgabe|regel|befehl|prompt|aufforderung|richtlinie|eingabe)\w*",
    r"\bdu bist (?:jetzt|nun|ab jetzt|ab sofort|von nun an|kein|nicht mehr) (?:[\w-]+ ){0,3}?(?:assistent|ki\b|"
    r"chatbot|sprachmodell|modell|hacker|pirat)",
    r"\b(?:gib|zeig|verrat|nenn|offenbar|wiederhol|druck|schreib)(?:e|en sie)? (?:[\w']+ ){0,4}?(?:system-?prompts?|"
    r"system-?(?:anweisung|nachricht)\w*|"
    r"dein\w* (?:anweisung|prompt|instruktion)\w*)",
    r"\bantworte (?:ab jetzt |immer |von nun an )?(?:nur|ausschlie(?:ss|ß)lich) (?:noch )?(?:mit|auf)\b",
    r"\b(?:sag|erzahl|verrat|teil)e? (?:[\w']+ ){0,3}?(?:nutzer|benutzer|anwender)n? (?:nichts?|davon nichts)\b",
    r"\b(?:send|schick|ubermittl)e? (?:[\w']+ ){0,4}?(?:gesprach|chat|unterhaltung|konversation)\w* .{0,40}?https?:",
]
_FRENCH = [
    r"\b(?:ignore[zr]?|oublie[zr]?|neglige[zr]?|ne (?:tiens|tenez) pas compte de|ne (?:suis|suivez) (?:pas|plus)) "
    r"(?:[\w'’]+ ){0,3}?"
    r"(?:instruction|consigne|directive|regle|ordre|invite|prompt)s? (?:[\w'’]+ )?(?:precedent|anterieur|ci-dessus|"
    r"initial|d'origine|systeme)\w*",
    r"\b(?:ignore[zr]?|oublie[zr]?) (?:toutes? )?(?:tes|vos) (?:[\w'’]+ )?(?:instruction|consigne|directive|regle)s?\b",
    r"\b(?:tu es|vous etes) (?:maintenant|desormais|a present) (?:[\w'’-]+ ){0,3}?(?:assistant|ia\b|chatbot|modele|"
    r"pirate|hacker)",
    r"\b(?:revele|montre|affiche|donne|repete|imprime|devoile)[zr]?(?:-(?:moi|nous))? (?:[\w'’]+ ){0,4}?(?:prompt|"
    r"invite|message|instructions?)s? "
    r"(?:du |de )?(?:systeme|initial\w*|cachee?s?|secret\w*)",
    r"\b(?:reponds|repondez) (?:uniquement|seulement|exclusivement) (?:avec|par|en)\b",
    r"\bne (?:le |la |les |lui |en )?(?:dis|dites|revele[zr]?|parle[zr]?|mentionne[zr]?) (?:[\w'’]+ ){0,3}?(?:a |aux "
    r"|l'|a l['’])utilisateurs?",
]
_SPANISH = [
    r"\b(?:ignor[ae]|olvid[ae]|descart[ae]|omit[ae]|desatiend[ae]|no (?:sigas|siga|hagas caso (?:a|de))) (?:[\w]+ "
    r"){0,3}?"
    r"(?:instrucciones|indicaciones|ordenes|directrices|reglas|mensajes|prompts?) (?:\w+ )?(?:anterior|previ|de "
    r"arriba|precedent|inicial|original|del sistema)\w*",
    r"\b(?:ignor[ae]|olvid[ae]) (?:todas )?tus (?:\w+ )?(?:instrucciones|indicaciones|reglas|directrices)\b",
    r"\b(?:ahora eres|a partir de ahora eres|ya no eres) (?:\w+ ){0,3}?(?:asistente|ia\b|chatbot|modelo|pirata|hacker)",
    r"\b(?:revel|muestr|imprim|repit|dim|escrib)[ae](?:me|nos)? (?:\w+ ){0,4}?(?:prompt|instrucciones|mensaje|"
    r"indicaciones) (?:del? )?(?:sistema|inicial\w*|ocult\w+|secret\w+)",
    r"\b(?:responde|contesta) (?:solo|solamente|unicamente|exclusivamente) (?:con|en)\b",
    r"\bno (?:se lo |le |les )?(?:digas|menciones|cuentes|reveles|informes) (?:\w+ ){0,3}?(?:al?|a los) usuarios?\b",
    r"\bignora (?:tutte )?le (?:istruzioni|indicazioni) precedenti\b|\bignore (?:todas )?as instrucoes (?:anteriores|"
    r"previas)\b",
]
_TEMPLATES = [
    r"<\|\s*(?:im_start|im_end|im_sep|system|user|assistant|endoftext|begin_of_text|end_of_text|start_header_id|"
    r"end_header_id|eot_id|eom_id|"
    r"endofprompt|channel|message|start|end|return|call|tool|end_of_turn|start_of_role|end_of_role)\s*\|>",
    r"\[/?inst\]|<</?sys>>|</?(?:start_of_turn|end_of_turn)>|<｜(?:user|assistant)｜>|\[/?system_prompt\]|\[(?:system|"
    r"assistant)\] ?(?:you|ignor|new|overr)",
    r"</?(?:system[_-](?:prompt|reminder|message|instructions?)|assistant[_-](?:response|message)|"
    r"developer[_-]message)>",
    r"#{2,4} ?(?:instruction|response|system|assistant) ?:",
]
_RUN_TOGETHER = [
    r"(?:ignor|disregard|forget|overrid|bypass)e?(?:all|any|every)?(?:of)?(?:the|your|these|those|my)?"
    r"(?:previous|prior|above|earlier|preceding|system|initial|original)(?:instruction|prompt|direct|guideline|rule|"
    r"message)",
    r"(?:ignor|disregard|forget)e?(?:all|any)?(?:of)?your(?:previous|prior)?(?:instruction|prompt|rules|guideline|"
    r"training)",
    r"(?:reveal|show|print|repeat|output|leak|disclose)(?:me|us)?(?:your|the)(?:system|hidden|initial|secret)?prompt",
    r"youarenow(?:an?|in|dan|my|the)?(?:unrestricted|evil|dan|jailbr|developermode|unfiltered|uncensored|ai|assistant)",
    r"(?:respond|reply)onlywith|donottelltheuser|ignoriereallevor",
]


def _any_of(patterns: Iterable[str]) -> Any:
    options = re2.Options()
    options.max_mem = 64 << 20  # in one automaton they cost as much as one of them
    options.log_errors = False
    return re2.compile("|".join(f"(?:{pattern})" for pattern in patterns), options)


SPOKEN = _any_of(
    [*_OVERRIDES, *_ROLES, *_PROMPT, *_REPLIES, *_LEAKS, *_GERMAN, *_FRENCH, *_SPANISH],
)
"""Sentences that instruct."""
TOKENS = _any_of(_TEMPLATES)
"""Marks by which models tell who speaks."""
MASKED = _any_of([r"(?:\w[^\w\n]{1,3}){7}\w", r"[a-z][-·_*.][a-z]", r"[a-z][013457@$]|[013457@$][a-z]"])
"""Letters that may stand for others, or be cut apart."""
CRAMPED = _any_of(_RUN_TOGETHER)
"""The most usual ones without spaces, for letters that were spaced out."""
