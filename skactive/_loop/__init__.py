"""One run of active learning: what is known, what is asked, and how it goes on."""
