"""The periodic report: frozen data (data.py), sentences made from it (sentences.py), pages and PDF (document.py)."""
