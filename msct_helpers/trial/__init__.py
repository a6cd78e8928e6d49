"""The data set: its plan and contract, how it is read, and what was found on the way."""
