"""Posted QR codes, slots with one-time codes, tickets, posters and code sheets."""
