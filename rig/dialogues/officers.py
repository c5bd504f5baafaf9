"""What officers and the operator write, a row a message, in a state that
`tests/dialogue/test_officers_table.py` makes.

`{code}` is the open case, `{other}` a second one with the same officer where the state has it,
`{closed}` one that was answered before.
"""

from __future__ import annotations

from dataclasses import dataclass

OFFICER = "+250788000009"
OPERATOR = "+250788000077"

NOT_SENT = "NOT sent"
LONG = (
    "Uproot all of the sick plants that you find in the lower part of your field only if I "
    "confirm on Friday, and until then keep the goats out of it"
)
TOO_LONG = "Look at the leaves every morning and write down what you see there. " * 6


@dataclass(frozen=True)
class Row:
    """state: see `_in_state`. relayed: what the farmer reads, or empty for nothing at all."""

    state: str
    text: str
    reply: str
    relayed: str = ""
    open: bool = True
    """The case still waits for an answer afterwards."""
    label: str | None = None
    who: str = OFFICER


R = Row
ROWS = [
    # Words are never cut
    R(
        "one",
        "{code} Bury the worst leaves when dry",
        "closed",
        "Bury the worst leaves",
        open=False,
    ),
    R("one", "{code} " + LONG, "in 2 SMS", "only if I confirm on Friday", open=False),
    R("one", LONG, "in 2 SMS", "goats out of it", open=False),
    R("one", "{code} " + TOO_LONG, "letters fit in 3 SMS"),
    R("one-fr", "{code} " + TOO_LONG, "NON envoyé"),
    R("one", "{code} ሰላም የኔ", "ETHIOPIC"),
    # Small talk, in four languages
    R("one", "Merci beaucoup", NOT_SENT),
    R("one", "{code} merci bien monsieur", NOT_SENT),
    R("one", "Murakoze cyane", NOT_SENT),
    R("one-rw", "mwaramutse neza", "NTIBYOHEREJWE"),
    R("one", "asante sana ndugu", NOT_SENT),
    R("one-sw", "{code} tayari", "HAIJATUMWA"),
    R("one", "Good morning, how are you?", NOT_SENT),
    R("one", "{code} done", NOT_SENT),
    R("one", "{code} yes", NOT_SENT),
    R("one", "yego", NOT_SENT),
    R("one", "ndiyo", NOT_SENT),
    R("one", "1", NOT_SENT),
    R("one", "{code} 2", NOT_SENT),
    R("one", "OK thanks", NOT_SENT),
    R("one", "👍", NOT_SENT),
    R("one", "{code} noted, thank you", NOT_SENT),
    # Questions, one word, being away
    R("one", "who is this?", "Is this advice?"),
    R("one", "Uyu ni nde", "Is this advice?"),
    R("one-sw", "huyu ni nani", "ushauri?"),
    R("one-fr", "C'est pour quel champ exactement?", "un conseil?"),
    R("one", "{code} Mort", "Is this advice?"),
    R("one", "I am busy today", "waits for you"),
    R("one", "Je suis en congé", "waits for you"),
    R("one-sw", "nina shughuli leo", "inakusubiri"),
    # Wishes
    R("one", "photo please", "asked for another photo", "Photo needed"),
    R("one", "{code} another picture please", "asked for another photo", "Photo needed"),
    R("one-fr", "une autre photo svp", "autre photo", "Photo needed"),
    R("one-rw", "mwohereze indi foto", "indi foto", "Photo needed"),
    R("one-sw", "tuma picha nyingine", "picha nyingine", "Photo needed"),
    R("two", "photo please", "Which case?"),
    R("one", "pass to colleague", "no colleague is on duty"),
    R("colleague", "pass to colleague", "went to a colleague"),
    R("colleague", "{code} hand over", "went to a colleague"),
    R("colleague", "passer à un collègue svp", "went to a colleague"),
    R("colleague", "wihe mugenzi wanjye", "went to a colleague"),
    R("colleague", "mpe mwenzangu tafadhali", "went to a colleague"),
    # Commands of the farmers' list
    R("one", "RESULT", "To answer"),
    R("one", "MSAADA", "To answer"),
    R("one", "Igisubizo", "To answer"),
    R("one", "aide svp", "To answer"),
    R("one", "{code} RESULTAT", "maize"),
    # Reactions, forwards, automatic replies
    R("one", "Liked “CASE {code} maize: common rust? 90%”", NOT_SENT),
    R("one", "Loved “Bury the worst leaves when dry”", NOT_SENT),
    R("one", 'Emphasised "Which case? Begin your SMS with its code"', NOT_SENT),
    R("one", "Reacted 👍 to “Case {code} waits”", NOT_SENT),
    R("one", "❤ to “Bury the leaves”", NOT_SENT),
    R("one", "A aimé « Brûlez les feuilles malades »", NOT_SENT),
    R("one", "{briefing}", NOT_SENT),
    R("one", "Fwd: {briefing}", NOT_SENT),
    R("one", "> To answer: the case code, then your words.", NOT_SENT),
    R("one", "I'm driving right now - I'll get back to you later.", NOT_SENT),
    R("one", "Automatic reply: I am out of the office until Monday", NOT_SENT),
    R("one-fr", "Je conduis, je vous rappelle plus tard", "NON envoyé"),
    R("one", "Ninaendesha gari sasa hivi", NOT_SENT),
    # Words of our own instructions
    R("one", "SMS {code} Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "CASE {code} Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "Answer {code} Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "Jibu {code}: Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "“{code} Bury the sick leaves”", "closed", ": Bury the sick leaves - Tel", open=False),
    R("one", "{code} {code} Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "SMS {code} ... Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R(
        "one",
        "\u2068{code}\u2069 Bury\u200b the sick leaves",
        "closed",
        "Bury the sick",
        open=False,
    ),
    R("one", "SMS {code} ...", "maize"),
    # Label and crop
    R("one", "{code} ok rust", "closed", "common rust", open=False, label="maize_rust"),
    R("one", "{code} OK mahindi kutu", "closed", "common rust", open=False, label="maize_rust"),
    R("beans", "{code} ok rust", "beans: which one?"),
    R("beans", "{code} OK", "the photo looks like maize, the farmer said beans"),
    R("beans", "{code} OK bean rust", "SPOT"),
    R("beans", "{code} ok spot", "closed", "angular leaf spot", open=False, label="bean_spot"),
    R("one", "{code} OK weevils", "RUST, BLIGHT"),
    R("one", "{code} ok not rust", "which one?"),
    R("one", "{code} OK but do not spray before Friday", "closed", "do not spray", open=False),
    R("unknown", "{code} OK", "which one?"),
    R("unknown", "{code} ?", "leaf not recognised"),
    R("one", "{code} “Bury the sick leaves”", "closed", ": Bury the sick leaves - Tel", open=False),
    # Products and doses
    R("one", "{code} Spray mancozeb 2g per litre", "product or dose (mancozeb"),
    R("one", "{code} Dithane 20 ml in 15 l water", "product or dose"),
    R("one-sw", "{code} weka vijiko 2 kwa lita 15 za maji", "dawa au kipimo"),
    R("one-fr", "{code} Pulvérisez du Ridomil chaque semaine", "produit ou une dose"),
    # Promises
    R("one", "{code} I will come on Friday", "stays open", "I will come on Friday"),
    R("one", "{code} Je viendrai samedi matin", "stays open", "Je viendrai samedi"),
    R("one", "{code} Nitakupigia kesho asubuhi", "stays open", "Nitakupigia kesho"),
    R(
        "promise",
        "{code} I will visit on Friday",
        "by 04/12/2026",
        "Ada will visit you by 04/12/2026",
    ),
    R("promise", "I'll call", "by 30/11/2026", "Ada will call you by 30/11/2026"),
    R("promise", "Hello, tomorrow I will pass by the field", "by 29/11/2026", "visit you by 29/11"),
    R("promise", "Keep a leaf. I can come in 3 days", "by 01/12/2026", "Keep a leaf"),
    R("promise", "I will come and see on 12 Dec", "by 12/12/2026", "visit you by 12/12/2026"),
    R("promise", "Keep a leaf\nI will call tomorrow", "by 29/11/2026", "Ada will call you by 29"),
    R("promise", "Keep one\u2026 I will call tomorrow", "by 29/11/2026", "Ada will call you by 29"),
    R("promise", "on my way", "by 30/11/2026", "visit you by 30/11"),
    R("promise", "Call me", "stays open", "Call me"),
    R(
        "promise-fr",
        "Je vais vous appeler après-demain",
        "d'ici le 30/11/2026",
        "call you by 30/11",
    ),
    R("promise-fr", "{code} nous passerons lundi", "d'ici le 30/11/2026", "visit you by 30/11"),
    R("promise-fr", "Je passerai voir mon champ", "d'ici le 30/11/2026", "visit you by 30/11"),
    R("promise-rw", "Nzagusura kuwa gatanu", "bitarenze 04/12/2026", "visit you by 04/12"),
    R("promise-rw", "{code} tuzabahamagara ejo", "bitarenze 29/11/2026", "call you by 29/11"),
    R("promise-sw", "Nitakutembelea Jumatano", "kuisha 02/12/2026", "visit you by 02/12"),
    R(
        "promise-sw",
        "{code} kesho kutwa nitakupigia simu",
        "kuisha 30/11/2026",
        "call you by 30/11",
    ),
    R("promise", "{code} Visit the agrodealer on Friday", "closed", "Visit the agro", open=False),
    R("promise", "{code} Bury them; I will not come", "closed", "I will not come", open=False),
    # Which case
    R("two", "Bury the sick leaves", "Which case?"),
    R("two", "23K7Q2M bury the leaves", "Which case?"),
    R("two", "{other} Bury the sick leaves", "closed", "Bury the sick leaves"),
    R("none", "Bury the sick leaves", "no open case"),
    R("one", "LIST", "Open: "),
    # Duty
    R("one", "OFF", "off duty"),
    R("one", "STOP", "off duty"),
    R("one", "acha", "off duty"),
    R("one", "CANCEL", "off duty"),
    R("one", "stop sending me messages", "off duty"),
    R("one", "OFF until 5 Dec", "06/12/2026"),
    R("one", "OFF hadi 31 desemba", "01/01/2027"),
    R("one", "off until further", "Until which day?"),
    R("one", "ON", "on duty"),
    # UNDO without anything to take back
    R("one", "UNDO", "no answer to take back"),
    # The operator
    R("operator", "{code} Bury the sick leaves", "closed", "Bury the sick", False, who=OPERATOR),
    R("operator", "{code} ok rust", "closed", "common rust", False, "maize_rust", OPERATOR),
    R("operator", "Bury the sick leaves today", "closed", "Bury", open=False, who=OPERATOR),
    R("operator", "thank you", NOT_SENT, who=OPERATOR),
    R("operator", "HELP", "RESULT: your answer", who=OPERATOR),
    R("operator", "{code} I will call today", "by 28/11/2026", "will call you by", who=OPERATOR),
]
