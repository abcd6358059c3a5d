"""conv_infer.py with batch 1. Needs torch==2.13.0."""
from _round import serve
from conv_infer import prepare

serve(lambda: prepare(batch=1))
