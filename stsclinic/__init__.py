"""stsclinic: the register of a clinic that treats calcinosis cutis with sodium thiosulfate."""

__version__ = "0.1.0"
