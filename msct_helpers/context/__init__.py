"""Patients of this kind without cells: the Mayo cohort, computed in every book."""
