"""MELD and its kin: the scores over visits, and what their changes are made of."""
