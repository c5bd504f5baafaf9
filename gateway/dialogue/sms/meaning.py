"""What farmers' words mean beside the keywords of the catalogue, in four languages. Pure data and
small questions about it; every word is in capitals without accents, as `words.plain` writes it.

The Kinyarwanda and Swahili lists are unreviewed, as the texts are. The operator's page of what was
not understood shows which words are missing here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from gateway.words import word_set as _set

POLITE = _set(
    """
    PLEASE PLS PLZ KINDLY NOW OK OKAY HELLO HI DEAR SIR MADAM THANKS THANK YOU AND TO FROM THE A
    JUST IMMEDIATELY TODAY
    SVP MERCI BONJOUR MAINTENANT S IL VOUS TE PLAIT
    TAFADHALI NAOMBA SASA HABARI NDUGU ASANTE KABISA TU
    NYABUNEKA MWIHANGANE NDABASABYE NDASABA NONE MURAKOZE MURAHO MWARAMUTSE RWOSE UBU
    """
)
"""Words that change nothing."""

MINE = _set(
    """
    MY MINE YOUR OF FOR THIS THAT THESE THOSE IT IS WHAT ABOUT CODE CASE NUMBER ME I WANT NEED GIVE
    AN SHOW SEND GET CHECK SEE ANSWER RESULT RESULTS
    MON MA MES MOI LE LA LES DU DE DES QUEL QUELLE EST MON CODE DOSSIER RESULTAT REPONSE ENVOYEZ
    DONNEZ VOIR JE VEUX VOUDRAIS UN
    LANGU YANGU WANGU ZANGU LA YA NI NINI NIPE NATAKA NAMBA KODI JIBU MAJIBU KESI HII HILI GANI
    CYANJYE CYANGE YANJYE YANGE ZANJYE ZANGE NI IKI KODE NIMERO IGISUBIZO DOSIYE IYI MUMPE NDASHAKA
    """
)
"""Words around a code or a keyword for a result that ask for nothing else."""

STOPPING = _set(
    """
    STOP STOPS STOPPED STOPPING STOPALL UNSUBSCRIBE OPTOUT STOPPEZ STOPPER
    ARRET ARRETE ARRETER ARRETEZ DESABONNER DESABONNEZ DESABONNE
    DESINSCRIRE DESINSCRIPTION DESABONNEMENT
    ACHENI WACHENI SIMAMISHA SIMAMISHENI SITISHA SITISHENI KOMESHA
    HAGARIKA GUHAGARIKA MUHAGARIKE UHAGARIKE NIHAGARIKE MUHAGARARE
    """
)
"""Verbs that mean messages where nothing in the field is named."""

HALF_STOPPING = _set(
    "END QUIT CANCEL ACHA SIMAMA WACHA WACHENI REKA MUREKE REKERA CESSEZ CESSER FIN"
)
"""Verbs that mean messages only where messages are named, or next to nothing else is said."""

MESSAGES = _set(
    """
    MESSAGE MESSAGES MESSAGING MSG MSGS SMS TEXT TEXTS TEXTING TEXTED SENDING SEND SPAM WRITING
    WRITE SUBSCRIPTION SUBSCRIBING NOTIFICATIONS ALERTS BOTHERING DISTURBING CONTACTING CALLING
    ENVOYER ENVOI ENVOIS ENVOYEZ ABONNEMENT ECRIRE
    UJUMBE JUMBE MESEJI KUNITUMIA KUTUMA KUTUMIA KUNIANDIKIA KUNISUMBUA
    UBUTUMWA MESAJE KUNTUMIRA KUNYOHEREREZA KOHEREZA KUNYANDIKIRA KOHEREREZA KUNSAKUZA
    """
)

LITTLE = _set(
    """
    ME US IT THIS THAT ALL EVERYTHING MY NAME ANY ANYMORE MORE AGAIN WITH YOUR YOU THEM THESE
    SERVICE I WANT WOULD LIKE NEED DO NOT DON T ALREADY SAID HAVE IN OUT HERE
    TOUT TOUS CA CELA CES VOS LES DES LE MES ME M JE VEUX VOUDRAIS PLUS MOI NOUS DE D
    YOTE HII HIZO HAYA MIMI KWANGU NIMESEMA SITAKI NATAKA NI ZENU
    BYOSE IBI IBYO JYE NJYE NDASHAKA ZANYU BUSE
    """
)
"""What may stand beside a verb of `HALF_STOPPING`, and beside any other, without a field."""

FIELD = _set(
    """
    RUST BLIGHT MOSAIC SPOT SPOTS DISEASE DISEASES SICK SICKNESS PEST PESTS WORM WORMS ARMYWORM
    ARMYWORMS INSECT INSECTS BUG BUGS RATS BIRDS LOCUST LOCUSTS FLY FLIES APHIDS MITES WEEVILS
    MOULD MOLD FUNGUS FUNGI ROT ROTTING WEEDS STRIGA VIRUS PROBLEM LEAF LEAVES PLANT PLANTS
    PLANTING PLANTED CROP CROPS FIELD FIELDS FARM GARDEN SEED SEEDS STEM ROOT ROOTS COB COBS POD
    PODS MAIZE CORN BEAN BEANS CASSAVA POTATO POTATOES COFFEE BANANA SPREAD SPREADING SPRAY
    SPRAYING SPRAYED DYING DIE HARVEST HARVESTING RAIN RAINS SEASON FERTILIZER FERTILISER MANURE
    WATER WATERING IRRIGATION YELLOW BROWN DAMAGE LOSS CASE REPORT ORDER VISIT REQUEST APPOINTMENT
    OFFICER CALL BLEEDING GROWING GROWTH EATING BY
    ROUILLE BRULURE MOSAIQUE TACHE TACHES MALADIE MALADIES MALADE MALADES CHENILLE CHENILLES VER
    VERS INSECTES CHAMPIGNON POURRITURE FEUILLE FEUILLES PLANTE PLANTES CHAMP CHAMPS SEMENCE
    SEMENCES MAIS HARICOT HARICOTS MANIOC TRAITEMENT TRAITER PULVERISER RECOLTE PLUIE PLUIES SAISON
    DOSSIER VISITE DEMANDE AGRONOME PROPAGATION DEGATS ENGRAIS
    KUTU UGONJWA MAGONJWA WADUDU MDUDU VIWAVI FUNZA MADOA DOA BATOBATO MAJANI JANI MMEA MIMEA ZAO
    MAZAO SHAMBA MBEGU MAHINDI MAHARAGE MUHOGO MIHOGO DAWA KUPULIZIA KUENEA INAENEA MVUA MSIMU
    MAVUNO KESI NAMBA AFISA KUOZA FANGASI MBOLEA
    UMUGESE INDWARA UDUKOKO AGAKOKO NKONGWA IKIBABI IBIBABI IKIMERA IBIMERA IGIHINGWA IBIHINGWA
    UMURIMA IMIRIMA IMBUTO IBIGORI IBISHYIMBO IMYUMBATI UMUTI KUTERA GUTERA GUKWIRAKWIRA KUBORA
    IMVURA IGIHEMBWE UMUSARURO DOSIYE AGORONOME KABORE KIRABIRANYA IFUMBIRE
    """
)
"""Where one of these is named, a verb for stopping may well mean it."""

NO_MORE = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bOPT(ED)? ?(ME )?OUT\b",
        r"\bUN ?SUBSCRIBE\b",
        r"\bNO (MORE|OTHER|FURTHER) (SMS|TEXTS?|MESSAGES?|MSGS?|ALERTS)\b",
        r"\b(DO NOT|DON ?T|DONT|NEVER|NOT TO) (EVER )?"
        r"(SEND|TEXT|MESSAGE|SMS|WRITE|CONTACT|DISTURB|BOTHER)( TO)? "
        r"(ME|US|ANY|THIS NUMBER|MESSAGES?|SMS)\b",
        r"\b(REMOVE|DELETE|TAKE) (ME|MY (PHONE )?NUMBER|THIS NUMBER)( OFF| FROM| OUT|$)",
        r"\bLEAVE ME ALONE\b",
        r"\b(DO NOT|DON ?T|DONT) WANT (ANY |YOUR |THESE |MORE |TO (GET|RECEIVE) )*"
        r"(SMS|TEXTS?|MESSAGES?|MSGS?)\b",
        r"\b(PLUS|PAS) (DE|D|DES|AUCUN) (SMS|MESSAGES?|TEXTOS?)\b",
        r"\bNE (M|ME|NOUS) (ENVOYEZ|ECRIVEZ|CONTACTEZ|ENVOYER) (PLUS|PAS)\b",
        r"\bNE VEUX (PLUS|PAS) (DE |D |RECEVOIR |VOS |CES |DES )*(SMS|MESSAGES?)\b",
        r"\bMSINI?(TUMIE|ANDIKIE|SUMBUE)\b",
        r"\bUSINI?(TUMIE|ANDIKIE|SUMBUE)\b",
        r"\bSITAKI (TENA )?(UJUMBE|SMS|MESEJI|JUMBE)\b",
        r"\bNITOENI\b|\bNIONDOENI\b|\bNIONDOE\b",
        r"\bNTIMU?(ZONGERE|KONGERE|KANYANDIKIRE|NYOHEREREZE|NYANDIKIRE)\b",
        r"\bMUREKE (KU|GU)\w*(OHEREREZA|ANDIKIRA|TUMIRA)\b",
        r"\b(SINSHAKA|SINKENEYE|SINKISHAKA) (UBUTUMWA|SMS|MESAJE)\b",
    )
)
"""Ways to say "no more messages" without a keyword in front."""

QUESTION_ONE = frozenset({"1", "YES", "OUI", "NDIYO", "YEGO", "YEE", "ONE", "I", "L", "01"})
"""A yes to the question that we asked last."""

NUMBER = _set(
    """
    SIM SIMCARD CARD LINE NUMBER PHONE CARTE NUMERO PUCE TELEPHONE LIGNE LAINI KADI SIMU NAMBA
    NIMERO SIMUKADI TELEFONE TELEFONI
    """
)
CHANGED = _set(
    """
    NEW CHANGED CHANGE LOST REPLACED STOLEN ANOTHER NOUVEAU NOUVELLE PERDU PERDUE CHANGEE VOLE VOLEE
    MPYA NIMEPOTEZA NIMEBADILISHA NILIPOTEZA IMEPOTEA NYINGINE NSHYA SHYA NATAYE NAHINDUYE BANYIBYE
    """
)
"""With a word of `NUMBER`: she has another number."""

SEASON = _set(
    """
    INFO INFORMATION ADVICE NEXT SEASON SAISON PROCHAINE SUITE MSIMU UJAO USHAURI IGIHEMBWE
    GIKURIKIRA INAMA
    """
)
"""What "more" may be asked about."""

SPEAKING = _set("IN EN KWA MU LANGUAGE SPEAK WRITE PARLEZ ONGEA VUGA I WANT ME")
"""What stands beside the name of a language that is wished for."""

ANOTHER = _set(
    """
    ANOTHER OTHER NEW SECOND DIFFERENT AUTRE NOUVEAU NOUVELLE SECONDE
    NYINGINE MWINGINE JINGINE LINGINE MPYA UNDI INDI IKINDI RISHYA GISHYA
    """
)
"""Of a problem: not the one that is being seen to."""

HINTS = {
    "en": _set(
        """
        THE IS ARE MY AND WITH WHAT WHY HOW THIS THAT HAVE HAS NOT IT PLEASE HELP LEAVES PLANTS
        MAIZE BEANS CASSAVA SICK WHEN WHERE DO DID DOES CAN YOU THANKS THANK HELLO SPREADING YELLOW
        FIELD OF IN FOR STOP MESSAGES WANT WAS TOO VERY STILL
        """
    ),
    "fr": _set(
        """
        LE LA DE LES DES UN UNE MON MA MES ET EST SONT AVEC QUE QUI QUOI POURQUOI COMMENT PAS
        BONJOUR MERCI SVP FEUILLES PLANTES MAIS HARICOTS MANIOC MALADE MALADES CHAMP AIDE JE VOUS DU
        CELA CA QUAND OU DOIS FAIRE JAUNES TRES TOUJOURS ARRETEZ
        """
    ),
    "sw": _set(
        """
        YANGU LANGU WANGU ZANGU NA NI KWA YA WA ZA LA NINI JE HABARI ASANTE TAFADHALI MAHINDI
        MAHARAGE MUHOGO MAJANI JANI MIMEA SHAMBA UGONJWA SHAMBANI INA YANA NAOMBA MSAADA GANI
        KWANINI
        LINI NIFANYE SIJUI BADO SANA LAKINI WACHA MESEJI
        KUNITUMIA USINITUMIE MSINITUMIE TENA WENU ZENU HAIJAPONA INAENEA WADUDU
        SITAKI UJUMBE NIMEPULIZIA NJANO
        """
    ),
    "rw": _set(
        """
        MURAHO MURAKOZE MWARAMUTSE MWIRIWE IBIGORI IBISHYIMBO IMYUMBATI IKIBABI IBIBABI INDWARA
        UMURIMA WANJYE YANJYE CYANJYE BYANJYE NDASHAKA NI IKI GUTE NGEWE NJYE NYABUNEKA UBUFASHA
        BIRARWAYE ARWAYE IRWAYE KURWARA CYANE NONE KANDI ARIKO UDUKOKO UBUTUMWA UMUTI NTABWO
        BYARANZE KUNYANDIKIRA KUNYOHEREREZA KUNTUMIRA
        SINZI NKORE IYO MU KU BIRUMA NDABASABYE MUREKE
        """
    ),
}
"""Everyday words that tell a language; one that stands in two tells neither."""


def language_of(words: Sequence[str]) -> str:
    """The language that most of the words are of; empty where that is not clear."""
    hits = Counter(code for word in words for code, hints in HINTS.items() if word in hints)
    ranked = hits.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return ""
    return ranked[0][0]


def wants_stop(words: Sequence[str]) -> bool | None:
    """Whether somebody wants no more messages. None: perhaps; it is to be asked."""
    told = " ".join(words)
    rest = [word for word in words if word not in POLITE]
    if any(pattern.search(told) for pattern in NO_MORE):
        return True
    verbs = [word for word in rest if word in STOPPING or word in HALF_STOPPING]
    if not verbs:
        return False
    others = [word for word in rest if word not in verbs]
    leads = bool(rest) and (rest[0] in verbs or _wish(rest[: rest.index(verbs[0])]))
    named = any(word in MESSAGES for word in others)
    field = any(word in FIELD for word in others)
    if named and not field:
        return True
    strong = any(verb in STOPPING for verb in verbs)
    if not leads:
        return False
    if field:
        return None if strong or "CANCEL" in verbs else False
    if all(word in LITTLE for word in others):
        return True
    return strong and len(others) <= STRAY


STRAY = 4
"""Unknown words beside a strong verb that leave its meaning clear."""


def _wish(before: Sequence[str]) -> bool:
    """Whether all that stands before the verb is a wish: "I want to stop"."""
    return all(word in LITTLE for word in before)


def asks_only(words: Sequence[str]) -> bool:
    """Whether nothing but the wish for a result is said beside a code or a keyword."""
    return all(word in MINE or word in POLITE for word in words)
