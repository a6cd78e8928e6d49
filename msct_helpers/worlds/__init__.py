"""Many synthetic trials at once: which assumptions could have led to the published abstract."""
