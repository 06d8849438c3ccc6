"""The five published reports that the rules come from, by the number that the code cites."""

REPORTS = {
    "000": "Olesen and Fage, Aarhus: case series",
    "001": "Winter et al., Orlando: blinded pilot study, JAAD Int 2020;1:114-20",
    "002": "Golub, Gladys and Helm, Hershey: case report",
    "003": "Coimbra: letter, doi:10.1016/j.abd.2025.501222",
    "004": "Badawi et al., Kansas: letter, doi:10.12788/cutis.0071",
}


OURS = "The program's own choice; no report asks for it"


def cite(numbers: str) -> str:
    """The reports in words, from their numbers joined by a comma: `000, 003`; without any, our choice."""
    return "; ".join(REPORTS[number] for number in numbers.split(", ")) if numbers else OURS
