"""The benchmark: this service against plain Flask, side by side on one machine (`make bench`)."""
