"""The parts of the speed benchmark `benchmarks/recurrent.py`."""
