"""The published abstract: its statements, what is concluded from them, and data made to fit."""
