"""What the patient reads, in each language: the questions, the ends of the scales, the buttons, the body sites.

English follows stsclinic.clinical.scales and terms; Danish and Portuguese (of Portugal) were translated for this
project, and are no validated instruments. A clinic that finds a better word changes it here.
"""

from dataclasses import dataclass

from stsclinic.clinical import terms
from stsclinic.clinical.scales import SCALES


@dataclass(frozen=True, kw_only=True)
class Words:
    """One language. `ends` and `questions` are by the purpose of an invitation."""

    name: str
    """The language's own name for itself."""
    choose_language: str
    other_language: str
    questions: dict[str, str]
    ends: dict[str, tuple[str, str]]
    """What the lowest and the highest number mean."""
    choose_a_number: str
    go_on: str
    your_answer: str
    """Before the number that was chosen."""
    is_it_right: str
    done: str
    change: str
    thanks: str
    received: str
    give_back: str
    """On the clinic's tablet."""
    close_page: str
    """On the patient's own telephone."""
    code: str
    open_code: str
    enter_code: str
    refused: str
    ask_for_new: str
    sides: dict[str, str]
    body_sites: dict[str, str]


def _left_to_right(*words: str) -> dict[str, str]:
    return dict(zip(terms.LATERALITY, words, strict=True))


LANGUAGES = {
    "en": Words(
        name="English",
        choose_language="Choose your language",
        other_language="Other language",
        questions={
            "ptga": SCALES["ptga"].question,
            "pain": "How painful was the injection?",
        },
        ends={"ptga": ("least problematic", "most problematic"), "pain": ("no pain", "extreme pain")},
        choose_a_number="Please choose a number.",
        go_on="Continue",
        your_answer="Your answer",
        is_it_right="Is this right?",
        done="Yes, done",
        change="Change my answer",
        thanks="Thank you",
        received="Your answer has been received.",
        give_back="Please give the tablet back to the staff.",
        close_page="You can close this page.",
        code="Code",
        open_code="Open",
        enter_code="Enter the code that you were given.",
        refused="This code is not valid, or it has expired.",
        ask_for_new="Please ask the staff for a new one.",
        sides=_left_to_right("left side", "right side", "middle"),
        body_sites=terms.BODY_SITE,
    ),
    "da": Words(
        name="Dansk",
        choose_language="Vælg dit sprog",
        other_language="Andet sprog",
        questions={
            "ptga": "Hvor problematiske har de kalkaflejringer, der er valgt til behandling, alt i alt været"
            " i den seneste uge?",
            "pain": "Hvor smertefuld var indsprøjtningen?",
        },
        ends={
            "ptga": ("mindst problematisk", "mest problematisk"),
            "pain": ("ingen smerte", "ekstrem smerte"),
        },
        choose_a_number="Vælg et tal.",
        go_on="Fortsæt",
        your_answer="Dit svar",
        is_it_right="Er det rigtigt?",
        done="Ja, færdig",
        change="Ret mit svar",
        thanks="Tak",
        received="Dit svar er modtaget.",
        give_back="Giv tabletten tilbage til personalet.",
        close_page="Du kan lukke siden.",
        code="Kode",
        open_code="Åbn",
        enter_code="Skriv den kode, du har fået.",
        refused="Koden er ikke gyldig, eller den er udløbet.",
        ask_for_new="Bed personalet om en ny.",
        sides=_left_to_right("venstre side", "højre side", "midten"),
        body_sites={
            "scalp": "Hovedbund",
            "face": "Ansigt",
            "ear": "Øre",
            "neck": "Hals og nakke",
            "clavicle": "Kraveben",
            "shoulder": "Skulder",
            "upper_arm": "Overarm",
            "elbow": "Albue",
            "antecubital_fossa": "Albuebøjning",
            "forearm": "Underarm",
            "wrist": "Håndled",
            "hand_dorsum": "Håndryg",
            "palm": "Håndflade",
            "thumb": "Tommelfinger",
            "index_finger": "Pegefinger",
            "middle_finger": "Langfinger",
            "ring_finger": "Ringfinger",
            "little_finger": "Lillefinger",
            "chest": "Brystkasse",
            "breast": "Bryst",
            "abdomen": "Mave",
            "flank": "Flanke",
            "upper_back": "Øvre ryg",
            "lower_back": "Lænd",
            "groin": "Lyske",
            "hip": "Hofte",
            "buttock": "Balde",
            "thigh": "Lår",
            "knee": "Knæ",
            "popliteal_fossa": "Knæhase",
            "lower_leg": "Underben",
            "ankle": "Ankel",
            "heel": "Hæl",
            "foot_dorsum": "Fodryg",
            "sole": "Fodsål",
            "toe": "Tå",
        },
    ),
    "pt": Words(
        name="Português",
        choose_language="Escolha a sua língua",
        other_language="Outra língua",
        questions={
            "ptga": "De um modo geral, quão problemáticos foram, na última semana, os depósitos de cálcio"
            " escolhidos para tratamento?",
            "pain": "Quão dolorosa foi a injeção?",
        },
        ends={"ptga": ("menos problemático", "mais problemático"), "pain": ("nenhuma dor", "dor extrema")},
        choose_a_number="Escolha um número.",
        go_on="Continuar",
        your_answer="A sua resposta",
        is_it_right="Está certo?",
        done="Sim, concluir",
        change="Alterar a minha resposta",
        thanks="Agradecemos a sua ajuda",
        received="A sua resposta foi recebida.",
        give_back="Devolva o tablet aos profissionais de saúde.",
        close_page="Pode fechar esta página.",
        code="Código",
        open_code="Abrir",
        enter_code="Introduza o código que lhe deram.",
        refused="Este código não é válido ou já expirou.",
        ask_for_new="Peça um novo aos profissionais de saúde.",
        sides=_left_to_right("lado esquerdo", "lado direito", "meio"),
        body_sites={
            "scalp": "Couro cabeludo",
            "face": "Face",
            "ear": "Orelha",
            "neck": "Pescoço",
            "clavicle": "Clavícula",
            "shoulder": "Ombro",
            "upper_arm": "Braço",
            "elbow": "Cotovelo",
            "antecubital_fossa": "Prega do cotovelo",
            "forearm": "Antebraço",
            "wrist": "Punho",
            "hand_dorsum": "Dorso da mão",
            "palm": "Palma da mão",
            "thumb": "Polegar",
            "index_finger": "Dedo indicador",
            "middle_finger": "Dedo médio",
            "ring_finger": "Dedo anelar",
            "little_finger": "Dedo mindinho",
            "chest": "Tórax",
            "breast": "Mama",
            "abdomen": "Abdómen",
            "flank": "Flanco",
            "upper_back": "Parte superior das costas",
            "lower_back": "Parte inferior das costas",
            "groin": "Virilha",
            "hip": "Anca",
            "buttock": "Nádega",
            "thigh": "Coxa",
            "knee": "Joelho",
            "popliteal_fossa": "Parte de trás do joelho",
            "lower_leg": "Perna, abaixo do joelho",
            "ankle": "Tornozelo",
            "heel": "Calcanhar",
            "foot_dorsum": "Dorso do pé",
            "sole": "Planta do pé",
            "toe": "Dedo do pé",
        },
    ),
}


def place_words(words: Words, body_site: str, laterality: str) -> str:
    """Where on the body, such as `Elbow, left side`."""
    side = words.sides.get(laterality, "")
    return ", ".join(filter(None, (words.body_sites[body_site], side)))
