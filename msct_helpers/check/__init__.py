"""The report checked from outside: verification, certificate, standards, command line."""
