"""g2p_beam.py with 64 words side by side. Needs torch==2.13.0."""
from _round import serve
from g2p_beam import prepare

serve(lambda: prepare(count=64))
