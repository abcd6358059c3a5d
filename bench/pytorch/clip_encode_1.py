"""clip_encode.py with one picture. Needs torch==2.13.0."""
from _round import serve
from clip_encode import prepare

serve(lambda: prepare(batch=1))
