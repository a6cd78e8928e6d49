"""Analysis results data: the record of every number, and how two records compare."""
