"""The codes of the field and the words that people read for them.

A code is a slug: it is stored, exported and imported, and never renamed or reused.
The order of each vocabulary is the order in which it is offered. Adding a code here
adds it to the forms, the database constraint, the import, the export and the codebook.

Source: data sheet format; the five published reports named in README.md.
"""

SEX = {"female": "Female", "male": "Male", "other": "Other", "unknown": "Not known"}

DIAGNOSIS = {
    "lcssc": "Limited cutaneous systemic sclerosis",
    "dcssc": "Diffuse cutaneous systemic sclerosis",
    "ssc": "Systemic sclerosis, subtype not stated",
    "overlap": "Overlap syndrome",
    "dm": "Dermatomyositis",
    "jdm": "Juvenile dermatomyositis",
    "sle": "Systemic lupus erythematosus",
    "lupus_panniculitis": "Lupus panniculitis",
    "mctd": "Mixed connective tissue disease",
    "ucpd": "Undifferentiated connective tissue disease",
    "morphea": "Morphea",
    "idiopathic": "Idiopathic calcinosis",
    "other": "Other",
}

OVERLAP_WITH = {
    "ssc": "systemic sclerosis",
    "dm": "dermatomyositis",
    "pm": "polymyositis",
    "sle": "systemic lupus erythematosus",
    "ra": "rheumatoid arthritis",
    "sjogren": "Sjögren syndrome",
}

YES_NO = {"yes": "Yes", "no": "No"}
YES_NO_UNKNOWN = {"yes": "Yes", "no": "No", "unknown": "Not known"}

DISEASE_STATUS = {
    "stable": "Stable",
    "slowly_progressive": "Slowly progressive",
    "progressive": "Progressive",
}

NOT_ENROLLED_REASON = {
    "not_eligible": "Not eligible",
    "declined": "Declined",
    "moved": "Moved away",
    "other": "Other",
}

MEDICATION_ROLE = {
    "vasodilator": "Vasodilator",
    "immunosuppressant": "Immunosuppressant",
    "calcium_channel_blocker": "Calcium channel blocker",
    "bisphosphonate": "Bisphosphonate",
    "analgesic": "Analgesic",
    "other": "Other",
}

RESPONSE = {"none": "None", "partial": "Partial", "complete": "Complete", "unknown": "Not known"}

LATERALITY = {"left": "Left", "right": "Right", "midline": "Midline"}

LESION_TYPE = {
    "nodule": "Nodule",
    "plaque": "Plaque",
    "papule": "Papule",
    "tumoral": "Tumoral",
    "other": "Other",
}

SUBTYPE = {
    "dystrophic": "Dystrophic",
    "idiopathic": "Idiopathic",
    "metastatic": "Metastatic",
    "iatrogenic": "Iatrogenic",
    "calciphylaxis": "Calciphylaxis",
}

BODY_SITE = {
    "scalp": "Scalp",
    "face": "Face",
    "ear": "Ear",
    "neck": "Neck",
    "clavicle": "Clavicle",
    "shoulder": "Shoulder",
    "upper_arm": "Upper arm",
    "elbow": "Elbow",
    "antecubital_fossa": "Antecubital fossa",
    "forearm": "Forearm",
    "wrist": "Wrist",
    "hand_dorsum": "Back of hand",
    "palm": "Palm",
    "thumb": "Thumb",
    "index_finger": "Index finger",
    "middle_finger": "Middle finger",
    "ring_finger": "Ring finger",
    "little_finger": "Little finger",
    "chest": "Chest",
    "breast": "Breast",
    "abdomen": "Abdomen",
    "flank": "Flank",
    "upper_back": "Upper back",
    "lower_back": "Lower back",
    "groin": "Groin",
    "hip": "Hip",
    "buttock": "Buttock",
    "thigh": "Thigh",
    "knee": "Knee",
    "popliteal_fossa": "Popliteal fossa",
    "lower_leg": "Lower leg",
    "ankle": "Ankle",
    "heel": "Heel",
    "foot_dorsum": "Back of foot",
    "sole": "Sole",
    "toe": "Toe",
}

DIGITS = frozenset({"thumb", "index_finger", "middle_finger", "ring_finger", "little_finger", "toe"})
"""Body sites that are a finger or a toe: pulp necrosis is a risk there (report 003)."""

SERIES_STATUS = {
    "planned": "Planned",
    "active": "Active",
    "completed": "Completed",
    "stopped": "Stopped",
}

STOP_REASON = {
    "complete_remission": "Complete remission",
    "sufficient_partial_remission": "Sufficient partial remission",
    "side_effects": "Side effects",
    "disease_flare": "Disease flare",
    "patient_choice": "Patient's choice",
    "lost_to_follow_up": "Lost to follow-up",
    "other": "Other",
}

ARM = {"active": "Active (sodium thiosulfate)", "control": "Control (saline)"}

SESSION_KIND = {"treatment": "Treatment", "follow_up": "Follow-up", "assessment": "Assessment"}

LESION_STATUS = {"present": "Present", "gone": "Gone"}

SIZE_SOURCE = {"measured": "Measured", "confirmed": "Looked at, as last time"}

AGENT = {"sts": "Sodium thiosulfate", "saline": "Saline"}

TECHNIQUE = {
    "top": "On top",
    "upper_part": "Upper part",
    "base": "Base",
    "ulcer_rim": "Rim of the ulcer",
    "intradermal": "Intradermal",
    "intralesional": "Intralesional",
    "other": "Other",
}

ANAESTHESIA = {
    "none": "None",
    "topical": "Topical",
    "local": "Local",
    "nerve_block": "Nerve block",
}

SALT_FORM = {"pentahydrate": "Pentahydrate", "anhydrous": "Anhydrous"}

DRESSING = {
    "none": "None",
    "pressure_plaster": "Pressure-distributing plaster",
    "film": "Film",
    "other": "Other",
}

SIDE_EFFECT_TERM = {
    "injection_site_pain": "Injection site pain",
    "injection_site_infection": "Injection site infection",
    "injection_site_reaction": "Injection site reaction",
    "skin_discolouration": "Skin discolouration",
    "skin_blistering": "Skin blistering",
    "skin_ulceration": "Skin ulceration",
    "skin_necrosis": "Skin necrosis",
    "digital_necrosis": "Digital necrosis",
    "calcium_drainage": "Drainage of liquefied calcium",
    "haematoma": "Haematoma",
    "nausea": "Nausea",
    "vomiting": "Vomiting",
    "diarrhoea": "Diarrhoea",
    "abdominal_pain": "Abdominal pain",
    "headache": "Headache",
    "dizziness": "Dizziness",
    "hypotension": "Hypotension",
    "disorientation": "Disorientation",
    "allergic_reaction": "Allergic reaction",
    "metabolic_acidosis": "Metabolic acidosis",
    "hypernatraemia": "Hypernatraemia",
    "fatigue": "Fatigue",
    "other": "Other",
}

SIDE_EFFECTS_OF_A_LESION = frozenset(
    {
        "injection_site_pain",
        "injection_site_infection",
        "injection_site_reaction",
        "skin_discolouration",
        "skin_blistering",
        "skin_ulceration",
        "skin_necrosis",
        "digital_necrosis",
        "calcium_drainage",
        "haematoma",
    }
)
"""Terms that usually belong to a place that was injected: the lesion is asked for, and none must be said."""

CAUSALITY = {
    "certain": "Certain",
    "probable": "Probable",
    "possible": "Possible",
    "unlikely": "Unlikely",
    "unrelated": "Unrelated",
    "unassessable": "Cannot be assessed",
}

ACTION = {
    "none": "None",
    "oral_antibiotic": "Oral antibiotic",
    "topical_antibiotic": "Topical antibiotic",
    "analgesia": "Pain relief",
    "concentration_reduced": "Concentration reduced",
    "treatment_interrupted": "Treatment interrupted",
    "treatment_stopped": "Treatment stopped",
    "hospitalisation": "Hospitalisation",
    "other": "Other",
}

SIDE_EFFECT_OUTCOME = {
    "recovered": "Recovered",
    "recovering": "Recovering",
    "not_recovered": "Not recovered",
    "recovered_with_sequelae": "Recovered with sequelae",
    "fatal": "Fatal",
    "unknown": "Not known",
}
