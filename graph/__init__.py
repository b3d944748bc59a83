"""The state machine, and running it. Read `build.py` first."""
