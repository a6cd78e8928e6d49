"""Who was enrolled, who left and when: disposition, baseline, survival."""
